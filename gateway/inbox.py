"""What was pushed and acknowledged, and is on no committed page yet: sealed, once each, in order (ADR 0011)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from adapters.kit import Message, Notice
from gateway.errors import GatewayError
from gateway.scope import Scope
from gateway.store import Store, row_dict
from gateway.vault import Vault

BODY: Final = "inbox"
TAKEN: Final = "TAKEN"
KNOWN: Final = "KNOWN"
FULL: Final = "INBOX_FULL"
MARKS: Final = timedelta(days=90)
"""How long a repetition of what is on a committed page is known; what comes again later is read, and its rows are recognised."""


class InboxFull(GatewayError):
    """More waits than may; the sender keeps it and comes again."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message before it is in the inbox. One with the same label and content is the same."""

    label: str
    content: bytes
    rows: int
    body: bytes
    """What is kept, and becomes evidence."""

    @classmethod
    def of(cls, notice: Notice, body: bytes) -> Parcel:
        """A notification. The batch number alone does not name it: a platform may send a batch in parts."""
        return cls(f"{notice.batch}\0{notice.op}", notice.data, len(notice.rows), body)


class FeedInbox:
    """The kit's `Inbox` of one feed."""

    def __init__(self, store: Store, vault: Vault, feed: str) -> None:
        self._store, self._vault, self._feed = store, vault, feed

    def after(self, position: int, count: int) -> Sequence[Message]:
        with self._store.read() as tx:
            feed = tx.one("feed_by_name", name=self._feed)
            rows = tx.all("inbox_after", feed_id=feed.id, position=position, count=count) if feed else []
        return [
            Message(row.position, datetime.fromisoformat(row.received_at), self._vault.open(BODY, row.body))
            for row in rows
        ]


class Inboxes:
    """Where the door puts what it accepted."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store, self._vault = store, vault
        self._forgot: date | None = None

    def put(self, feed: Any, parcel: Parcel, now: datetime, *, max_rows: int, max_bytes: int, runs: bool = True) -> str:
        """Keeps a parcel for good and asks for a run, if the feed `runs`; answers TAKEN, or KNOWN for one that was taken before.

        When this returns, it is committed.

        Raises:
            InboxFull: nothing was stored.
        """
        content = self._vault.answer_hash(parcel.content).hex()
        batch = self._vault.name("inbox", f"{feed.uid}\0{parcel.label}\0{content}")
        at, rows, size = now.isoformat(timespec="microseconds"), parcel.rows, len(parcel.body)
        with self._store.write() as tx:
            if tx.one("inbox_known", feed_id=feed.id, batch=batch) is not None:
                tx.run("inbox_count", feed_id=feed.id, answer=KNOWN, at=at)
                return KNOWN
            state = tx.one("inbox_state", feed_id=feed.id)
            # one that is alone may be as large as the door lets in
            if state is not None and state.last > state.taken:
                over = state.waiting_rows + rows > max_rows or state.waiting_bytes + size > max_bytes
                if over:
                    raise InboxFull("收件箱已满，请稍后重推")
            position = tx.value("inbox_advance", feed_id=feed.id, rows=rows, bytes=size)
            sealed = self._vault.seal(BODY, parcel.body)
            told = {"position": position, "batch": batch, "received_at": at, "rows": rows, "bytes": size}
            tx.run("inbox_add", feed_id=feed.id, body=sealed, **told)
            if runs and not tx.run("run_awaits", feed_id=feed.id):
                tx.run("run_add", feed_id=feed.id, due_at=at, reason="pushed", actor="push", options="{}")
        return TAKEN

    def refused(self, feed: Any, code: str, now: datetime) -> None:
        """Counts what was not taken; nothing of it is kept."""
        with self._store.write() as tx:
            tx.run("inbox_count", feed_id=feed.id, answer=code, at=now.isoformat(timespec="seconds"))

    def forget(self, now: datetime) -> int:
        """Lets go of marks older than `MARKS`; answers of how many. Called often, it looks once a day."""
        if self._forgot == now.date():
            return 0
        self._forgot = now.date()
        with self._store.write() as tx:
            return tx.run("inbox_forget", before=(now - MARKS).isoformat(timespec="microseconds"))

    def figures(self, within: Scope) -> list[dict[str, Any]]:
        """By feed: notifications taken, waiting and since when, and how often its sender repeated itself or was refused."""
        with self._store.read() as tx:
            answers: dict[str, dict[str, int]] = {}
            for row in tx.all("inbox_answers"):
                answers.setdefault(row.feed, {})[row.answer] = row.times
            rows = {row.feed: row_dict(row) for row in tx.all("inboxes")}
            seen = {row.name for row in tx.all("feeds") if within.sees(row.county, row.dataset)}
        out = []
        for name in sorted({*rows, *answers} & seen):
            row = rows.get(name, {"accepted": 0, "taken": 0, "waiting_rows": 0, "waiting_bytes": 0, "oldest": None})
            waiting = row["accepted"] - row["taken"]
            told = {key: row[key] for key in ("accepted", "waiting_rows", "waiting_bytes", "oldest")}
            counts = answers.get(name, {})
            repeated = counts.pop(KNOWN, 0)
            out.append({"feed": name, "waiting": waiting, **told, "repeated": repeated, "refused": counts})
        return out
