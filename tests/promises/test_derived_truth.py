"""What follows from the registers is what is true of the people: ten counties, three worlds (china-facts §3.3; DESIGN §2a).

The registers are taken as their agencies hold them, clean, so that every difference is the derivation's; that they arrive
as they are held is the oracle's promise (test_oracle.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.reports import derive
from gateway.reports.asked import Asked
from gateway.reports.consents import CLASSES
from gateway.reports.facts import Fact, roles
from gateway.reports.marriage import Status
from gateway.reports.person import Person
from gateway.reports.sections import State
from gateway.reports.standing import resolve
from gateway.store.segments import Version
from mock_agencies.counties import COUNTIES, PILOT
from mock_agencies.items import Item
from mock_agencies.prefecture import Prefecture
from mock_agencies.standing import Truth, truths
from schemas import DATASETS


class Registers:
    """What a `FactFinder` finds, of a prefecture that no gateway has read."""

    def __init__(self, prefecture: Prefecture) -> None:
        self._about: dict[str, list[Fact]] = defaultdict(list)
        self._homes: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
        for county, world in prefecture.worlds.items():
            for name in DATASETS:
                for item in {item.key: item for item in world.items(name) if item.canonical}.values():
                    self._take(_fact(county, name, item))

    def _take(self, fact: Fact) -> None:
        dataset = DATASETS[fact.dataset]
        if fact.dataset == "household_member":
            self._homes[str(fact.record["station_code"]), str(fact.record["household_no"])].append(fact)
        for number in set(_numbers(dataset.subjects.values(), fact)):
            self._about[number].append(replace(fact, roles=roles(dataset, fact.record, number)))

    def about(self, id_no: str) -> list[Fact]:
        return self._about[id_no]

    def joined(self, kind: str, values: Sequence[str]) -> list[Fact]:
        assert kind == "household"
        return self._homes[tuple(values)]


def _fact(county: str, dataset: str, item: Item) -> Fact:
    assert item.canonical is not None
    handle = f"{county}|{dataset}|{item.key}".encode()
    version = Version(1, 1, 1, 1, 0, item.updated, item.updated, "", b"", 1, 1, None, None, handle, b"", "intl-1")
    return Fact(dataset, f"{county}/{dataset}", county, "SYSTEM", frozenset(), item.canonical, version)


def _numbers(paths: Iterable[str], fact: Fact) -> Iterable[str]:
    for path in paths:
        part, _, name = path.rpartition(".")
        found: list[Any] = [row[name] for row in fact.rows(part)] if part else [fact.record[name]]
        yield from (number for number in found if number)


def _asked(id_no: str, name: str, today: date) -> Asked:
    at = f"{today.isoformat()}T18:00:00+08:00"
    return Asked(
        number="SQ20260302-000001",
        id_no=id_no,
        name=name,
        institution="demo-bank",
        institution_title="",
        user="clerk",
        purpose="loan_application",
        consent="",
        classes=frozenset(CLASSES),
        at=at,
        submitter="",
        suite="intl-1",
    )


def _marriage(truth: Truth) -> tuple[str, str | None, str | None]:
    bond = truth.bond
    if bond is None:
        return Status.NO_RECORD, None, None
    if truth.widowed:
        return Status.WIDOWED, truth.widowed.isoformat(), bond.partner
    return (
        (Status.MARRIED, bond.since.isoformat(), bond.partner)
        if bond.stands
        else (Status.DIVORCED, bond.since.isoformat(), None)
    )


def _differences(truth: Truth, registers: Any, today: date) -> list[str]:
    """What the report would derive otherwise than it is."""
    number = truth.person.id_no
    found = Person(registers, resolve(registers.about(number)), _asked(number, truth.person.name, today))
    marital = found.marital
    living = truth.living_with
    home = found.derived("household", State.DATA) or {"members": "0", "minors": "0"}
    minors = sum(1 for p in living if (derive.age(p.born.isoformat(), today) or 0) < derive.GROWN_UP)
    held = {t["code"] for t in (found.derived("traits", State.NONE) or {})["traits"] if t["held"]}
    paid = {
        (section, net["year"], net["title" if section == "payment" else "kind"]): round(float(net["paid"]) * 100)
        for section in ("payment", "subsidy")
        for net in (found.derived(section, State.DATA) or {})["nets"]
    }
    compared = {
        "marriage": ((marital.status, marital.since, marital.partner_id_no), _marriage(truth)),
        "sure": (marital.sure, True),
        "home": ({str(f.text("id_no")) for f in found.home}, {p.id_no for p in living}),
        "members": ((home["members"], home["minors"]), (str(len(living)), str(minors))),
        "traits": (held, truth.runs),
        "paid": ({k: v for k, v in paid.items() if v}, {k: v for k, v in truth.paid.items() if v}),
    }
    return [f"{number} {what}: {got} is {true}" for what, (got, true) in compared.items() if got != true]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_derived_is_what_is_true(seed: int) -> None:
    prefecture = Prefecture({code: 40 if code == PILOT else 15 for code in COUNTIES}, seed, dirt=0)
    prefecture.advance(45)
    today = prefecture.worlds[PILOT].today
    registers, people = Registers(prefecture), truths(prefecture.worlds.values())
    states = {str(_marriage(truth)[0]) for truth in people.values()}
    assert states == set(Status), "every state is in each world"
    assert [line for truth in people.values() for line in _differences(truth, registers, today)] == []
