"""Spreadsheets that a clerk hands in: whole files, read from the feed's inbox like anything that is pushed (china-facts §1.5).

The file as it was handed in is the evidence. Its name is not looked at: it may name a person, or be a path.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from tempfile import TemporaryFile
from typing import Any, ClassVar, Final

from pydantic import Field

from adapters.kit.base import Message, SourceSettings
from adapters.kit.files.layout import Layout, squash
from adapters.kit.files.names import Delivery, Flag
from adapters.kit.files.reader import FilesStream, Limits, read_items
from adapters.kit.push import InboxAdapter, InboxSettings

SHOWN: Final = "上传文件"
"""Stands for the name of the file."""


@dataclass(frozen=True, kw_only=True)
class UploadStream(FilesStream):
    """One kind of spreadsheet. `mapping` names the headings."""

    pattern: str = "*"
    flag: Flag = "none"
    skip_sheets: tuple[str, ...] = ("填写说明*", "填表说明*", "说明*")
    required: tuple[str, ...] = ()
    """Headings without which a sheet is not this table; any other may be left out."""
    synonyms: Mapping[str, str] = field(default_factory=dict)
    """What else clerks call a heading -> the heading."""

    @property
    def layout(self) -> Layout:
        known = {squash(word): heading for word, heading in self.synonyms.items()}
        known |= {squash(heading): heading for heading in self.named if heading[:1] != "@"}
        return Layout(frozenset(self.required), synonyms=known)


def as_csv(items: Sequence[Mapping[str, Any]]) -> str:
    """Items as a file with a header."""
    out = StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(name for item in items for name in item)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(items)
    return out.getvalue()


class UploadSettings(InboxSettings):
    """What a county file may say of what is handed in."""

    max_mb: int = Field(default=32, ge=1, le=256)
    """One file."""
    max_inflated_mb: int = Field(default=256, ge=1)
    max_memory_mb: int = Field(default=2048, ge=256)


class UploadAdapter(InboxAdapter):
    """A source whose streams are `UploadStream`s."""

    label = "UPLOAD"
    media = "application/octet-stream"
    channel = "MANUAL"
    Settings: ClassVar[type[SourceSettings]] = UploadSettings
    settings: UploadSettings
    streams: ClassVar[Mapping[str, UploadStream]]

    def opened(self, dataset: str, message: Message) -> tuple[Sequence[bytes], Sequence[str]]:
        return self.read(dataset, message.body)

    def read(self, dataset: str, body: bytes) -> tuple[list[bytes], list[str]]:
        """Every row of a file, and where each stands in it.

        Raises:
            SourceMalformed: it is no spreadsheet, or not this one; see `read_items`.
        """
        limits = Limits(self.settings.max_inflated_mb, self.settings.max_memory_mb)
        delivery = Delivery(SHOWN, SHOWN, {}, None, None)
        with TemporaryFile() as file:
            file.write(body)
            file.seek(0)
            rows = [row for row in read_items(file, delivery, self.offers[dataset], limits) if row[0]]
        return [item for item, _ in rows], [place for _, place in rows]
