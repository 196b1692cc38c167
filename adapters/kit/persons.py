"""Answers about named persons: which of them a page is about, and what follows it (china-facts §1.3).

Records are numbered as the persons were: `<RECORD no='3'>` is about the third of them. A person may have several, and one
whom the source does not know has one that says so. Who is not answered about stays due.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final

from adapters.kit.base import Answer, Asked, Cursor, Item, Page, Persons, Rows
from adapters.kit.envelope import JsonRows, Opened
from adapters.kit.errors import SourceMalformed
from adapters.kit.paging import unknown_cursor
from adapters.kit.verdicts import EVIDENCE_BYTES
from adapters.kit.xmlrows import XmlRows
from schemas.identifiers import id_problem

_NUMBERED: Final = re.compile(rb"""\A(<[\w.-]+)\s+no\s*=\s*["'](\d{1,4})["']""")
_REST: Final = {"rest": True}


def reached(cursor: Cursor | None) -> str | None:
    """The subject behind which a run goes on; None: it begins.

    Raises:
        SourceMalformed: CURSOR_UNKNOWN.
    """
    after = (cursor or {}).get("after")
    if not isinstance(after, str | None):
        raise unknown_cursor()
    return after


def nobody_due(answer: Answer) -> Page:
    """The page of a run in which there is nobody to ask about; the source was not called."""
    return Page(JsonRows(()), answer, lambda _: _REST, last=True, unchanged=True, contacted=False)


def about(
    due: Persons, opened: Opened, answer: Answer, *, number: str, found: Callable[[Item], bool], today: date
) -> Page:
    """The page that answers about `due`; `number` is the column of the ID number, `found` tells a record from its absence.

    Raises:
        SourceMalformed: UNASKED, the answer is about somebody else, which is none of our business and is not kept as a
            record; UNANSWERED, it is about nobody and does not say that there is nobody.
    """
    persons = due.persons
    if not opened.rows.raw and not opened.empty_confirmed:
        raise _malformed("UNANSWERED", "{label}：对方没有答复所问的任何一个人", answer)
    heads = [_NUMBERED.match(row) for row in opened.rows.raw]
    numbers = [int(head[2]) if head else 0 for head in heads]
    items = opened.rows.decode()
    if not all(0 < no <= len(persons) for no in numbers):
        raise _malformed("UNASKED", "{label}：答复里有没有问到的人", answer)
    for no, item in zip(numbers, items, strict=True):
        told = unicodedata.normalize("NFKC", item.get(number) or "").strip().upper()
        if told != persons[no - 1].id_no and id_problem(told, today) is None:
            raise _malformed("UNASKED", "{label}：答复里有没有问到的人", answer)
    known = {no for no, item in zip(numbers, items, strict=True) if found(item)}
    told_of = set(numbers) if items else set(range(1, len(persons) + 1))
    asked = tuple(Asked(p.subject, no in known) for no, p in enumerate(persons, 1) if no in told_of)
    capped = told_of == set(range(1, len(told_of) + 1)) and len(told_of) < len(persons)
    partial = not capped and len(told_of) < len(persons)
    last = due.last and not capped
    after: Cursor = _REST if last else {"after": asked[-1].subject if capped else persons[-1].subject}
    return Page(
        unnumbered(opened.rows),
        answer,
        lambda _: after,
        last=last,
        empty_confirmed=not known,
        notes=("CAPPED",) if capped else ("PARTIAL",) if partial else (),
        asked=asked,
    )


def unnumbered(rows: Rows) -> XmlRows:
    """The number is the request's, not the person's: the same record has the same bytes whenever it is asked for."""
    heads = [(_NUMBERED.match(row), row) for row in rows.raw]
    raw = [head[1] + row[head.end() :] for head, row in heads if head]
    return XmlRows(raw, b"<rows>", b"</rows>", _tag(raw))


def _tag(raw: list[bytes]) -> str:
    return raw[0].partition(b">")[0].removeprefix(b"<").decode() if raw else "row"


def _malformed(code: str, sentence: str, answer: Answer) -> SourceMalformed:
    return SourceMalformed(code, sentence, evidence=answer.body[:EVIDENCE_BYTES], label=answer.request)
