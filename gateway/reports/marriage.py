"""Marital status, derived from registration acts when it is read (china-facts §3.3); pure.

No record is never 未婚: court divorces, de-facto marriages and old paper registers are in no system. A re-issued
certificate proves the status at its date and is no event. What the household register says of marriage is the person's own
word and decides nothing; a difference is a discrepancy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.reports.facts import Fact
from gateway.reports.standing import Standing


class Status(StrEnum):
    MARRIED = "married"
    DIVORCED = "divorced"
    WIDOWED = "widowed"
    NO_RECORD = "no_record"


TITLES: Final = {
    Status.MARRIED: "已婚",
    Status.DIVORCED: "离婚",
    Status.WIDOWED: "丧偶",
    Status.NO_RECORD: "无婚姻登记记录（不等于未婚）",
}
MARRY: Final = frozenset({"IA", "INR"})
REISSUE: Final = frozenset({"IC", "ICA"})
"""A marriage certificate given again: the marriage stood then."""
DIVORCE: Final = frozenset({"IB"})
DIVORCE_REISSUE: Final = frozenset({"ICB"})
REVOKE: Final = frozenset({"ID"})
_ORDER: Final = ("IA", "INR", "IC", "ICA", "ICB", "IB", "ID")
"""Of one day: a couple marries before it divorces, and what is revoked was there before."""
_REGISTER: Final = {"1": None, "2": Status.MARRIED, "3": Status.WIDOWED, "4": Status.DIVORCED}
"""First digit of GB/T 2261.2; 未婚 agrees with no record only."""


@dataclass(frozen=True, slots=True)
class Marital:
    """The status, since when it is known, and what it rests on."""

    status: Status
    since: str | None
    """Date of the act that made it; None where only a re-issue, or nothing, is known."""
    as_of: str | None
    """The newest date at which the registers speak of it."""
    partner_name: str | None
    partner_id_no: str | None
    basis: tuple[Fact, ...]
    sure: bool
    """An act made the status; not sure: a re-issue only, or acts that contradict each other."""


def marital(acts: Iterable[Standing], id_no: str, died_on: Callable[[str], str | None] = lambda _: None) -> Marital:
    """The status of one person by all acts of any county in which they are a party.

    `died_on`: the date on which another person died, as the household registers have it.
    """
    found = sorted(
        (s.fact for s in acts if s.fact.dataset == "marriage" and "party" in s.fact.roles),
        key=lambda f: (str(f.text("op_date")), _ORDER.index(str(f.text("op_type"))), f.handle),
    )
    now = Marital(Status.NO_RECORD, None, None, None, None, (), sure=True)
    stack: list[Marital] = []
    for act in found:
        kind, on = str(act.text("op_type")), str(act.text("op_date"))
        name, number = _other(act, id_no)
        if kind in REVOKE:
            now = stack.pop() if stack and _couple(now, name, number) else now
            continue
        if kind in MARRY:
            stack.append(now)
            clash = now.status is Status.MARRIED and not _couple(now, name, number)
            now = Marital(Status.MARRIED, on, on, name, number, (act,), sure=not clash)
        elif kind in DIVORCE:
            stack.append(now)
            now = Marital(Status.DIVORCED, on, on, None, None, (act,), sure=True)
        elif kind in REISSUE:
            now = _proven(now, Status.MARRIED, on, name, number, act)
        elif kind in DIVORCE_REISSUE:
            now = _proven(now, Status.DIVORCED, on, None, None, act)
    if now.status is Status.MARRIED and now.partner_id_no and (died := died_on(now.partner_id_no)):
        return Marital(Status.WIDOWED, died, died, now.partner_name, now.partner_id_no, now.basis, now.sure)
    return now


def _proven(now: Marital, status: Status, on: str, name: str | None, number: str | None, act: Fact) -> Marital:
    """A re-issue: it confirms what was known, or is all that is known."""
    if now.status is status and (status is Status.DIVORCED or _couple(now, name, number)):
        return Marital(status, now.since, on, now.partner_name, now.partner_id_no, (*now.basis, act), now.sure)
    return Marital(status, None, on, name, number, (act,), sure=False)


def _couple(now: Marital, name: str | None, number: str | None) -> bool:
    if number and now.partner_id_no:
        return number == now.partner_id_no
    return name == now.partner_name


def _other(act: Fact, id_no: str) -> tuple[str | None, str | None]:
    others = [p for p in act.rows("parties") if p["id_no"] != id_no]
    return (others[0]["name"], others[0]["id_no"]) if others else (None, None)


def contradicts(found: Marital, register: Sequence[Standing]) -> list[Fact]:
    """Register rows of the person whose self-reported status is not the derived one; 未婚 contradicts any act."""
    out = []
    for standing in register:
        said = standing.fact.text("marital_self_reported")
        if said is None or said[0] not in _REGISTER:
            continue
        meant = _REGISTER[said[0]]
        if found.status is not (meant or Status.NO_RECORD) and (meant is None or found.status is not Status.NO_RECORD):
            out.append(standing.fact)
    return out
