"""A bank asks: consent first, a report of thirteen sections, a proof behind every value (DESIGN §5.6, §5.7, §5.9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from gateway.proof import verify_document, verify_report
from gateway.proof.reports import attached
from gateway.reports import pdf
from gateway.reports.consents import CLASSES, Consent, Refused
from gateway.reports.office import Report
from gateway.status import reconcile
from gateway.trace import trust
from tests.support.house import House, house

pytestmark = pytest.mark.sockets
BANK = "demo-bank"
HASH = "ab" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as monkeypatch, house(tmp_path_factory.mktemp("bank"), monkeypatch) as running:
        running.sync()
        running.gateway.forwarder.forward()
        yield running


def farmer(made: House) -> dict[str, Any]:
    """The head of a household who has land, a homestead, a spouse and subsidies."""
    heads = {r["head_id_no"]: r for r in made.records("household_member") if r["relation_to_head"] == "02"}
    married = {p["id_no"] for r in made.records("marriage") for p in r["parties"]}
    housed = {h["id_no"] for r in made.records("homestead") for h in r["holders"]}
    paid = {r["payee_id_no"] for r in made.records("subsidy")}
    return next(r for n, r in sorted(heads.items()) if n in married & housed & paid)


def consent(made: House, person: dict[str, Any], **changed: Any) -> Consent:
    today = made.gateway.clock.today()
    said = {
        "id_no": person["id_no"],
        "name": person["name"],
        "institution": BANK,
        "purpose": "loan_application",
        "classes": set(CLASSES),
        "file_hash": HASH,
        "valid_from": today,
        "valid_to": today + timedelta(days=90),
        "express": True,
        "actor": "clerk",
    }
    return made.gateway.consents.grant(**said | changed)


def query(made: House, person: dict[str, Any], **changed: Any) -> Report:
    said = {
        "id_no": person["id_no"],
        "name": person["name"],
        "institution": BANK,
        "purpose": "loan_application",
        "classes": set(CLASSES),
        "user": "clerk",
    }
    return made.gateway.office.query(**said | changed)


def ask(made: House, person: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return query(made, person, **changed).document


def test_every_value_of_a_report_stands_in_a_proof(made: House) -> None:
    person = farmer(made)
    consent(made, person)
    report = ask(made, person)
    assert [s["number"] for s in report["sections"]] == [str(n) for n in range(1, 10)]
    states = {s["id"]: (s["state"], s["why"]) for s in report["sections"]}
    assert states["marriage"][0] == states["real_estate"][0] == states["subsidy"][0] == "data"
    assert states["assistance"] == ("unknown", "not_shared"), "the catalogue shares it with nobody"
    assert report["facts"]
    for fact in report["facts"]:
        verified = verify_document(msgspec.json.encode(report["proofs"][int(fact["proof"])]), trust(made.gateway))
        for field in fact["fields"]:
            name = field["path"].rpartition(".")[2]
            assert verified.groups[field["group"]][name] == field["value"], field["path"]


def test_consents_and_queries_are_anchored(made: House) -> None:
    person = farmer(made)
    given = consent(made, person)
    ask(made, person)
    made.gateway.consents.revoke(given.handle)
    made.gateway.forwarder.forward()
    assert reconcile(made.gateway.store, ["local"]) == []


@pytest.mark.parametrize(
    ("changed", "asked", "code"),
    [
        (None, {}, "CONSENT_NONE"),
        ({"valid_to": -1, "valid_from": -9}, {}, "CONSENT_EXPIRED"),
        ({"valid_from": 1}, {}, "CONSENT_NOT_YET"),
        ({"purpose": "post_loan"}, {}, "CONSENT_PURPOSE"),
        ({"classes": {"household"}}, {"classes": {"household", "income"}}, "CONSENT_SCOPE"),
    ],
)
def test_what_no_consent_covers_is_refused(made: House, changed: Any, asked: Any, code: str) -> None:
    people = [r for r in made.records("household_member") if not r["died_on"]]
    person = people[hash(code) % len(people)]
    if changed is not None:
        today = made.gateway.clock.today()
        days = {k: today + timedelta(days=v) for k, v in changed.items() if isinstance(v, int)}
        consent(made, person, **changed | days)
    with pytest.raises(Refused) as refused:
        ask(made, person, **asked)
    assert refused.value.code == code
    latest = made.gateway.office.recent(BANK, 1)[0]
    assert (latest.result, latest.report_hash) == (code, None)


def test_the_pdf_carries_what_proves_it(made: House) -> None:
    person = farmer(made)
    consent(made, person)
    report = query(made, person)
    file = pdf.render(report)
    checked = verify_report(file, trust(made.gateway))
    assert checked.ok
    assert checked.proven
    assert attached(file) == pdf.envelope(report)
