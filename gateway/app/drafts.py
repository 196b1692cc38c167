"""The desk of configurations: drafts as text, what publishing them does, versions, and the way back (DESIGN §6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from gateway.audit import Action, Actor
from gateway.auditlog import AuditLog
from gateway.changes import Effect, effects, lines
from gateway.clock import Clock
from gateway.config import Config, Problem, read
from gateway.errors import ConfigInvalid, Usage
from gateway.publish import publish, published, texts_of
from gateway.store import Store, row_dict
from gateway.store.pages import living

NAMES: Final = re.compile(r"(?:gateway|catalogue|accounts|calendar)\.yaml|counties/[0-9A-Za-z_-]{1,60}\.yaml")


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing the drafts would do. Broken county files stay as they run; other broken files stop it."""

    effects: list[Effect]
    problems: list[Problem]
    warnings: list[Problem]
    lines: list[str]
    """The texts that differ, as a unified diff."""
    publishable: bool

    def as_dict(self) -> dict[str, Any]:
        return {
            "effects": [effect.as_dict() for effect in self.effects],
            "problems": list(map(told, self.problems)),
            "warnings": list(map(told, self.warnings)),
            "lines": self.lines,
            "publishable": self.publishable,
        }


def told(p: Problem) -> dict[str, Any]:
    return {"file": p.file, "line": p.line, "column": p.column, "where": p.where, "sentence": p.sentence}


class Drafts:
    """Drafts are the files of the configuration directory; what runs is the last published version."""

    def __init__(
        self, store: Store, clock: Clock, audit: AuditLog, root: Path, on_published: Callable[[Config], None]
    ) -> None:
        self._store, self._clock, self._audit, self._root, self._on_published = store, clock, audit, root, on_published

    def texts(self) -> dict[str, dict[str, str]]:
        """Every draft by name, with the mark that `save` wants back."""
        return {name: {"text": text, "mark": _mark(text)} for name, text in read(self._root).texts.items()}

    def save(self, actor: Actor, name: str, text: str, mark: str | None) -> list[Problem]:
        """Writes one draft; the faults it has now. Nothing is published.

        Raises:
            Usage: no such name, or somebody wrote it since it was read with this mark.
        """
        if not NAMES.fullmatch(name):
            raise Usage(
                "配置文件不能叫 {name}；可用的有 gateway.yaml、catalogue.yaml、accounts.yaml、calendar.yaml、counties/….yaml",
                name=name,
            )
        path = self._root / name
        now = path.read_text("utf-8", "replace") if path.exists() else None
        if (None if now is None else _mark(now)) != mark:
            raise Usage("{name} 在读取之后被别人改过，请重新读取", name=name)
        try:
            path.parent.mkdir(exist_ok=True)
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_text(text, "utf-8")
            fresh.replace(path)
        except OSError as error:
            raise Usage("配置目录不可写，{name} 没有保存", name=name) from error
        self._audit.record(actor, Action.SAVE_CONFIG, name, {"mark": _mark(text)})
        shown = read(self._root)
        return [p for p in shown.problems if p.file.endswith(name)]

    def preview(self, draft: Config | None = None) -> Preview:
        """What publishing the drafts, or another version, would do."""
        draft = draft or read(self._root)
        running = published(self._store, self._root)
        holds = _publishable(draft)
        found = effects(running, draft, self._rows) if holds else []
        return Preview(found, draft.problems, draft.warnings, lines(running, draft), holds)

    def publish(self, actor: Actor, draft: Config, note: str | None = None) -> bool:
        """Makes a draft the running version; feeds of broken county files stay as they were.

        Raises:
            ConfigInvalid: gateway.yaml, catalogue.yaml or accounts.yaml is broken, or no feed is left.
        """
        if not _publishable(draft):
            raise ConfigInvalid(draft.problems)
        if not publish(self._store, self._clock, draft, actor.name, note):
            return False
        running = published(self._store, self._root)
        assert running is not None
        self._audit.record(actor, Action.PUBLISH_CONFIG, running.digest[:16], {"feeds": len(running.feeds)})
        self._on_published(running)
        return True

    def history(self, count: int = 50) -> list[dict[str, Any]]:
        """Published versions, the newest first: number, when, by whom, digest, and what it is where it was rolled back to."""
        with self._store.read() as tx:
            return [row_dict(row) for row in tx.all("config_history", count=count)]

    def version(self, number: int) -> Config:
        """A published version as it would run today. Raises Usage: there is none of this number."""
        with self._store.read() as tx:
            row = tx.one("config_version_get", id=number)
        if row is None:
            raise Usage("没有第 {number} 版配置", number=number)
        return read(self._root, texts_of(row))

    def rollback(self, actor: Actor, number: int) -> bool:
        """Makes an older version the running one, as a new version; the drafts stay as they are.

        Raises:
            Usage: there is none of this number.
            ConfigInvalid: it does not hold any more (a secret or an adapter is gone).
        """
        return self.publish(actor, self.version(number), f"回退到第 {number} 版")

    def _rows(self, feed: str) -> int:
        with self._store.read() as tx:
            row = tx.one("feed_by_name", name=feed)
            return len(living(tx, row.id)) if row is not None else 0


def newest(store: Store, root: Path, known: int | None, running: str) -> tuple[int | None, Config | None]:
    """The number of the newest version, and that version if it is another than `known` and than the one of digest `running`."""
    try:
        with store.read() as tx:
            number = tx.value("config_newest")
    except store.failures:
        return known, None  # what needs the store says so itself
    version = published(store, root) if number not in (None, known) else None
    return number, version if version is not None and version.digest != running else None


def _publishable(draft: Config) -> bool:
    return bool(draft.gateway and draft.catalogue and draft.accounts and draft.feeds)


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
