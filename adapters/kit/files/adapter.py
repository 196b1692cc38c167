"""Sources that drop files: declared as data. Files in name order, each verified before a row of it is used.

The cursor is `position.Position`. Nothing in the drop is ever moved, renamed or deleted.

Of a snapshot stream the files of the newest day or month are the whole; older ones are past. While that is what was read
before, nothing is read again (`Page.unchanged`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, BinaryIO, ClassVar, Final, Literal

from pydantic import Field

from adapters.kit.base import Adapter, Answer, Cursor, Page, Ports, Probe, Rows, SourceSettings
from adapters.kit.envelope import JsonRows
from adapters.kit.errors import SourceError, SourceMalformed
from adapters.kit.files.drop import Drop, FolderDrop
from adapters.kit.files.names import FLAG_BYTES, Delivery, Flag, Names, newest, verified, whole
from adapters.kit.files.position import Position
from adapters.kit.files.reader import FilesStream, Limits, Reading
from adapters.kit.files.sftp import SftpDrop
from adapters.kit.values import Charset, WithoutPassword

PAGE_ROWS: Final = 1000
MEDIA: Final = "application/x-ndjson"


class FilesConnection(SourceSettings):
    """Where a drop is, and what reading it may cost."""

    directory: Annotated[str, WithoutPassword] = Field(pattern=r"^(/|sftp://[^/?#@:]+@[^/?#@:]+(:\d+)?/)")
    """A directory of this machine, or `sftp://user@host:port/path`."""
    host_key: str | None = Field(default=None, pattern=r"^(ssh-|ecdsa-)\S+ \S+")
    """SFTP: the server's public key, as in a known_hosts file without the host."""
    login: Literal["password", "private_key"] = "password"
    """SFTP: which secret of the account opens it."""
    deadline: float = Field(default=60.0, gt=0, le=600)
    """SFTP: seconds for one step of the protocol."""
    page_size: int = Field(default=PAGE_ROWS, ge=1, le=10_000)
    grace_minutes: float = Field(default=30, ge=0)
    """How long file and flag may be apart, and how long a file without flags must have been left alone."""
    max_mb: int = Field(default=1024, ge=1)
    max_inflated_mb: int = Field(default=256, ge=1)
    max_memory_mb: int = Field(default=2048, ge=256)
    """What reading one workbook may take."""

    @property
    def secrets_needed(self) -> tuple[str, ...]:
        return (self.login,) if self.directory.startswith("sftp:") else ()

    def over(self, stream: FilesStream) -> FilesStream:
        """The stream as this county has it."""
        return stream


class FilesSettings(FilesConnection):
    """What a county file may say of a drop whose files an adapter declares. What is `None` here stays as the adapter has it."""

    flag: Flag | None = None
    encoding: Charset | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=5)
    header_rows: int | None = Field(default=None, ge=1, le=5)
    header: Literal["leaf", "path"] | None = None
    sheets: tuple[str, ...] | None = None
    skip_sheets: tuple[str, ...] | None = None
    hidden_sheets: bool | None = None
    members: tuple[str, ...] | None = None
    renamed: Mapping[str, str] = Field(default_factory=dict)
    absent: tuple[str, ...] = ()

    def over(self, stream: FilesStream) -> FilesStream:
        plain = (
            "flag",
            "encoding",
            "separator",
            "header_rows",
            "header",
            "sheets",
            "skip_sheets",
            "hidden_sheets",
            "members",
        )
        said = {name: value for name in plain if (value := getattr(self, name)) is not None}
        said["renamed"] = {**stream.renamed, **self.renamed}
        said["absent"] = (*stream.absent, *self.absent)
        return replace(stream, **said)


class FilesAdapter(Adapter):
    """A source whose streams are `FilesStream`s."""

    Settings: ClassVar[type[SourceSettings]] = FilesSettings
    live = False
    settings: FilesConnection
    streams: ClassVar[Mapping[str, FilesStream]]

    def __init__(self, ports: Ports, settings: Any, county: str) -> None:
        super().__init__(ports, settings, county)
        self._open: dict[str, Reading] = {}

    def stream(self, dataset: str) -> FilesStream:
        """The stream as this source's settings want it; an adapter may override it."""
        return self.settings.over(self.offers[dataset])

    def names(self, dataset: str) -> Names:
        """What the files of a dataset are called here."""
        stream = self.stream(dataset)
        return Names(stream.pattern, stream.flag, self.county)

    @cached_property
    def drop(self) -> Drop:
        """The folder; a replay puts a recorded one in its place."""
        settings = self.settings
        if settings.directory.startswith("sftp:"):
            return SftpDrop(
                settings.directory,
                host_key=settings.host_key,
                login=settings.login,
                secret=self.ports.secrets.get(settings.login),
                deadline=settings.deadline,
            )
        return FolderDrop(Path(settings.directory))

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        stream = self.stream(dataset)
        position = Position.read(cursor)
        drop = self.drop
        rested = position.resting
        with self.ports.budget.call():
            reading = self._resumed(dataset, position) or self._begun(stream, position, drop)
            if reading is not None:
                return self._sliced(dataset, stream, position, drop, reading)
        position.resting, position.at = True, None
        return self._page(stream, position, unchanged=rested)

    def _resumed(self, dataset: str, position: Position) -> Reading | None:
        """The reading that this cursor follows, still open from the page before."""
        reading = self._open.pop(dataset, None)
        if reading is None or position.at == (reading.delivery.name, reading.digest, reading.served):
            return reading
        reading.close()
        return None

    def _begun(self, stream: FilesStream, position: Position, drop: Drop) -> Reading | None:
        """The next file to read, verified, behind what was served of it; None at the end of the run.

        Raises:
            SourceMalformed: see `names.whole` and `names.verified`; TOO_LARGE, FILE_WITHDRAWN.
        """
        for delivery in self._pending(stream, position, drop):
            file = self._opened(delivery, drop)
            try:
                digest = verified(delivery, stream.flag, file, _mark(delivery, drop))
                at = position.at if position.at and position.at[0] == delivery.name else None
                if at is None and digest == position.digest(delivery):
                    position.take(delivery, digest)
                    file.close()
                    continue
                reading = Reading(delivery, digest, file, stream, self.limits)
            except BaseException:
                file.close()
                raise
            if at is not None and at[1] == digest:
                reading.skip(at[2])
            position.resting = False
            return reading
        return None

    def _pending(self, stream: FilesStream, position: Position, drop: Drop) -> Iterable[Delivery]:
        """What is in the drop and was not taken, the file under way first; forgets what is no longer there.

        Raises:
            SourceMalformed: FILE_WITHDRAWN; see `names.whole`, when a delivery is reached that has been wrong for too long.
        """
        met = Names(stream.pattern, stream.flag, self.county).met(drop.list())
        position.done = {d.name: position.done[d.name] for d in met if d.name in position.done}
        under_way = position.at[0] if position.at else None
        met = sorted((d for d in met if not position.leftover(d)), key=lambda d: d.name != under_way)
        if stream.snapshot:
            return self._newest(stream, position, met, drop)
        if under_way is not None and not (met and met[0].name == under_way):
            raise _withdrawn()
        now, grace = self._patience
        waiting = (d for d in met if d.name == under_way or not position.has(d))
        return (d for d in waiting if whole(d, stream.flag, now, grace))

    def _newest(self, stream: FilesStream, position: Position, met: Sequence[Delivery], drop: Drop) -> list[Delivery]:
        """What is still to be read of the newest whole day or month; what is wrong with older ones is past."""
        ready: list[Delivery] = []
        wrong: list[tuple[str, SourceMalformed]] = []
        now, grace = self._patience
        for delivery in met:
            try:
                if whole(delivery, stream.flag, now, grace):
                    ready.append(delivery)
            except SourceMalformed as error:
                wrong.append((delivery.generation, error))
        generation = newest(ready, stream.parts)
        for other, fault in wrong:
            if other >= max(generation, position.generation):
                raise fault
        members = [d for d in ready if d.generation == generation]
        if not position.resting and generation <= position.generation:
            if any(name not in position.done and all(d.name != name for d in met) for name in position.files):
                raise _withdrawn()
            return [d for d in ready if d.name in position.files and not position.has(d)]
        same = generation == position.generation and all(self._is_known(stream, position, d, drop) for d in members)
        if generation < position.generation or same:
            return []
        position.done, position.at, position.generation = {}, None, generation
        position.files = [d.name for d in members]
        return members

    def _is_known(self, stream: FilesStream, position: Position, delivery: Delivery, drop: Drop) -> bool:
        """Whether a file is the one that was taken; if only its time is new, by its digest."""
        if position.has(delivery):
            return True
        with self._opened(delivery, drop) as file:
            if verified(delivery, stream.flag, file, _mark(delivery, drop)) != position.digest(delivery):
                return False
        position.take(delivery, position.digest(delivery))
        return True

    @property
    def _patience(self) -> tuple[float, float]:
        return self.ports.now().timestamp(), self.settings.grace_minutes * 60

    @property
    def limits(self) -> Limits:
        """What one file may cost."""
        return Limits(self.settings.max_inflated_mb, self.settings.max_memory_mb)

    def _opened(self, delivery: Delivery, drop: Drop) -> BinaryIO:
        assert delivery.file is not None
        limit = self.settings.max_mb
        if delivery.file.size > limit << 20:
            sentence = "文件 {file} 超过 {limit_mb} MB 上限，请部门拆分，或放宽 max_mb"
            raise SourceMalformed("TOO_LARGE", sentence, file=delivery.shown, limit_mb=limit)
        return drop.open(delivery.file.name)

    def _sliced(self, dataset: str, stream: FilesStream, position: Position, drop: Drop, reading: Reading) -> Page:
        first = reading.served == 0
        try:
            taken = reading.take(self.settings.page_size)
            if reading.altered:
                sentence = "文件 {file} 在读取时被改动，请部门重新投放"
                raise SourceMalformed("FILE_CHANGED", sentence, file=reading.delivery.shown)
        except BaseException:
            reading.close()
            raise
        notes = ("HIDDEN",) if reading.hidden else ()
        if not reading.over:
            self._open[dataset] = reading
            position.at = (reading.delivery.name, reading.digest, reading.served)
            return self._page(stream, position, taken, notes=notes)
        reading.close()
        position.at = None
        position.take(reading.delivery, reading.digest)
        position.resting = not self._more(stream, position, drop)
        return self._page(stream, position, taken, notes=notes, empty=first and not taken)

    def _more(self, stream: FilesStream, position: Position, drop: Drop) -> bool:
        """Whether this run goes on. What is wrong with the next file must not cost the page before it."""
        try:
            return next(iter(self._pending(stream, position, drop)), None) is not None
        except SourceError:
            return True

    def _page(
        self,
        stream: FilesStream,
        position: Position,
        taken: Sequence[tuple[bytes, str]] = (),
        *,
        notes: tuple[str, ...] = (),
        empty: bool = False,
        unchanged: bool = False,
    ) -> Page:
        raw = [item for item, _ in taken]
        cursor = position.cursor()
        return Page(
            rows=JsonRows(raw),
            answer=Answer(f"FILE {stream.pattern}", 0, MEDIA, b"\n".join(raw), self.ports.now()),
            after=lambda _newest: cursor,
            last=position.resting,
            empty_confirmed=empty,
            notes=notes,
            unchanged=unchanged,
            places=[place for _, place in taken],
        )

    def reopen(self, dataset: str, answer: Answer) -> Rows:  # whatever it is of, an item is a line
        return JsonRows(answer.body.split(b"\n") if answer.body else [])

    def probe(self) -> list[Probe]:
        try:
            entries = self.drop.list()
        except SourceError as error:
            return [Probe("drop", ok=False, sentence=str(error), code=error.code)]
        known = [self.names(dataset) for dataset in self.offers]
        count = len(entries)
        strange = sum(1 for entry in entries if not any(names.knows(entry.name) for names in known))
        sentence = f"投放目录里有 {count} 个文件，其中 {strange} 个的名称不合约定"
        return [Probe("drop", ok=strange < count or not count, sentence=sentence)]

    def close(self) -> None:
        for reading in self._open.values():
            reading.close()
        self._open.clear()
        if "drop" in self.__dict__:
            self.drop.close()


def _mark(delivery: Delivery, drop: Drop) -> bytes:
    if delivery.flag is None:
        return b""
    with drop.open(delivery.flag.name) as flag:
        return flag.read(FLAG_BYTES)


def _withdrawn() -> SourceMalformed:
    return SourceMalformed("FILE_WITHDRAWN", "没有读完的文件不见了，请部门重新投放；若已撤回，请用 --full 重新开始")
