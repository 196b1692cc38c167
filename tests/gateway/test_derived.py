"""What follows from several facts: marital status by china-facts §3.3, nets, standing among sources."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.reports import derive
from gateway.reports.facts import Fact
from gateway.reports.marriage import Status, contradicts, marital
from gateway.reports.standing import Standing, resolve
from gateway.store.segments import Version
from schemas import DATASETS

ME, WIFE, SECOND = "360999198001010016", "360999198203150025", "360999195511110048"


def fact(dataset: str, *, roles: set[str], feed: str = "360981/x", **said: Any) -> Fact:
    """An observation; what is not said is blank."""
    channel, as_of = said.pop("channel", "SYSTEM"), said.pop("as_of", "2026-03-01T00:00:00+08:00")
    blank: dict[str, Any] = {spec.name: None for spec in DATASETS[dataset].fields.values() if spec.part is None}
    record = blank | {part: [] for part in DATASETS[dataset].parts} | said
    handle = repr((feed, sorted(said.items(), key=str))).encode()
    version = Version(1, 1, 1, 1, 0, as_of, as_of, "", b"", 1, 1, None, None, handle[-20:], b"", "intl-1")
    return Fact(dataset, feed, "360981", channel, frozenset(roles), record, version)


def act(op: str, on: str, partner: str | None = WIFE, name: str = "李某") -> Standing:
    parties = [{"role": "man", "name": "王某", "id_no": ME}, {"role": "woman", "name": name, "id_no": partner}]
    return Standing(fact("marriage", roles={"party"}, op_type=op, op_date=on, cert_no=f"{op}{on}", parties=parties))


@pytest.mark.parametrize(
    ("acts", "status", "since", "sure"),
    [
        ([], Status.NO_RECORD, None, True),
        ([("IA", "2001-05-01")], Status.MARRIED, "2001-05-01", True),
        ([("INR", "2001-05-01")], Status.MARRIED, "2001-05-01", True),
        ([("IA", "2001-05-01"), ("ICA", "2010-01-01")], Status.MARRIED, "2001-05-01", True),
        ([("ICA", "2010-01-01")], Status.MARRIED, None, False),
        ([("ICB", "2010-01-01")], Status.DIVORCED, None, False),
        ([("IA", "2001-05-01"), ("IB", "2005-01-01")], Status.DIVORCED, "2005-01-01", True),
        ([("IA", "2001-05-01"), ("IB", "2005-01-01"), ("ICB", "2006-01-01")], Status.DIVORCED, "2005-01-01", True),
        ([("IA", "2001-05-01"), ("IB", "2001-05-01")], Status.DIVORCED, "2001-05-01", True),
        (
            [("IA", "2001-05-01"), ("IB", "2005-01-01"), ("IA", "2008-01-01", SECOND)],
            Status.MARRIED,
            "2008-01-01",
            True,
        ),
        ([("IA", "2001-05-01"), ("IB", "2005-01-01"), ("ICA", "2009-01-01")], Status.MARRIED, None, False),
        ([("IA", "2001-05-01"), ("ID", "2002-01-01")], Status.NO_RECORD, None, True),
        ([("IA", "2001-05-01"), ("IA", "2008-01-01", SECOND)], Status.MARRIED, "2008-01-01", False),
    ],
)
def test_marital_status(acts: list[tuple[Any, ...]], status: Status, since: str | None, sure: bool) -> None:
    found = marital([act(*a) for a in acts], ME)
    assert (found.status, found.since, found.sure) == (status, since, sure)


def test_a_partner_who_died_leaves_a_widow() -> None:
    found = marital([act("IA", "2001-05-01")], ME, {WIFE: "2020-02-02"}.get)
    assert (found.status, found.since) == (Status.WIDOWED, "2020-02-02")


@pytest.mark.parametrize(
    ("said", "acts", "differs"),
    [
        ("10", [("IA", "2001-05-01")], True),
        ("20", [("IA", "2001-05-01")], False),
        ("22", [("IA", "2001-05-01")], False),
        ("40", [("IA", "2001-05-01")], True),
        ("20", [], False),
        ("10", [], False),
        ("10", [("IA", "2001-05-01"), ("IB", "2005-01-01")], True),
        (None, [("IA", "2001-05-01")], False),
        ("90", [("IA", "2001-05-01")], False),
    ],
)
def test_the_register_never_wins_and_its_word_is_compared(said: str | None, acts: Any, differs: bool) -> None:
    row = Standing(fact("household_member", roles={"person"}, id_no=ME, marital_self_reported=said))
    assert bool(contradicts(marital([act(*a) for a in acts], ME), [row])) is differs


def payment(detail: str, status: str, paid: str) -> Standing:
    said = {"detail_id": detail, "status": status, "amount_paid": paid, "year": "2026", "item_name": "稻谷补贴"}
    return Standing(fact("payment", roles={"payee"}, **said))


def test_a_failed_payment_that_is_sent_again_counts_once_and_a_recovery_is_taken_off() -> None:
    rows = [
        payment("1", "failed", "0.00"),
        payment("2", "paid", "100.00"),
        payment("3", "paid", "-30.00"),
        payment("4", "pending", "0.00"),
    ]
    (net,) = derive.payment_nets(rows)
    assert (net.paid, net.payments, net.recovered, net.pending, net.failed) == (Decimal(70), 1, Decimal(30), 1, 1)


def award(status: str, amount: str, number: str | None = None) -> Standing:
    said = {"detail_id": number, "status": status, "amount": amount, "year": "2026", "subsidy_type": "rice"}
    return Standing(fact("subsidy", roles={"payee"}, **said))


def test_of_an_award_that_was_taken_back_nothing_is_left() -> None:
    rows = [
        award("paid", "100.00", "1"),
        award("recovered", "-30.00", "1T"),
        award("recovered", "50.00", "2"),
        award("publicised", "9.00", "3"),
    ]
    (net,) = derive.subsidy_nets(rows, 2024)
    assert (net.paid, net.payments, net.recovered, net.pending) == (Decimal(70), 1, Decimal(80), 1)


def test_who_moved_is_no_contradiction_until_both_registers_keep_them() -> None:
    old = member("360981/a", channel="SYSTEM", as_of="2026-03-01", household_no="1", moved_out_on="2026-01-01")
    new = replace(member("360982/a", channel="SYSTEM", as_of="2026-01-01", household_no="2"), county="360982")
    standings = resolve([old, new])
    assert [derive.register_row(standings), derive.discrepancies(standings, {})] == [new, []]
    still = resolve([replace(old, record=old.record | {"moved_out_on": None}), new])
    assert [d.code for d in derive.discrepancies(still, {})] == ["REGISTERED_TWICE"]


def member(feed: str, *, channel: str, as_of: str, **said: Any) -> Fact:
    return fact("household_member", roles={"person"}, feed=feed, channel=channel, as_of=as_of, id_no=ME, **said)


def test_system_stands_before_manual_however_new_and_the_difference_is_kept() -> None:
    system = member("360981/a", channel="SYSTEM", as_of="2026-01-01", name="王某", household_no="1")
    manual = member("360981/b", channel="MANUAL", as_of="2026-03-01", name="汪某", household_no="1")
    (standing,) = resolve([manual, system])
    assert standing.fact is system
    assert standing.beside == (manual,)
    assert [(c.path, c.standing, c.other) for c in standing.conflicts] == [("name", "王某", "汪某")]


def test_of_one_channel_the_newer_stands_and_a_blank_contradicts_nothing() -> None:
    old = member("360981/a", channel="SYSTEM", as_of="2026-01-01", name="王某", household_no="1", sex="1")
    new = member("360981/b", channel="SYSTEM", as_of="2026-03-01", name="王某", household_no="1")
    (standing,) = resolve([old, new])
    assert (standing.fact, standing.conflicts) == (new, ())


@pytest.mark.parametrize(("other", "paths"), [("360981", []), ("360982", ["register_division"])])
def test_a_county_does_not_contradict_its_village(other: str, paths: list[str]) -> None:
    village = member("360981/a", channel="SYSTEM", as_of="2026-02-01", register_division="360981101201")
    county = member("360981/b", channel="SYSTEM", as_of="2026-03-01", register_division=other)
    for pair in ([village, county], [county, village]):
        (standing,) = resolve(pair)
        assert [c.path for c in standing.conflicts] == paths


def test_rows_of_one_feed_are_never_one_thing() -> None:
    rows = [member("360981/a", channel="SYSTEM", as_of="2026-01-01", household_no=n) for n in "12"]
    assert len(resolve(rows)) == 2


@pytest.mark.parametrize(("born", "years"), [("2012-03-03", 13), ("2012-03-02", 14), ("2012-03", None), (None, None)])
def test_full_years(born: str | None, years: int | None) -> None:
    from datetime import date

    assert derive.age(born, date(2026, 3, 2)) == years
