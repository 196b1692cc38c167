"""A bank asks: consent first, a report of thirteen sections, a proof behind every value (DESIGN §5.6, §5.7, §5.9)."""

from __future__ import annotations

import hashlib
import io
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from gateway.chain.evm.headers import EvmBlock, write_headers
from gateway.config.stale import StaleModel
from gateway.errors import Usage
from gateway.proof import ProofInvalid, Trust, verify_document, verify_report
from gateway.proof.reports import attached
from gateway.reports import pdf
from gateway.reports.beside import Beside
from gateway.reports.consents import CLASSES, Consent, Refused
from gateway.reports.office import Report
from gateway.reports.report import ReportMaker
from gateway.reports.seal import Seal
from gateway.reports.sections import SECTIONS
from gateway.reports.view import view
from gateway.scope import EVERYTHING
from gateway.status import reconcile
from gateway.web import build
from tests.support.house import ROOT, House, house
from tests.support.web import ask as web
from tests.support.web import visit

pytestmark = pytest.mark.sockets
BANK = "demo-bank"
HASH = "ab" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as monkeypatch, house(tmp_path_factory.mktemp("bank"), monkeypatch) as running:
        running.sync()
        running.gateway.forwarder.forward()
        yield running


def trust(made: House) -> Trust:
    """What a bank believes: the gateway's key and the first sink."""
    return Trust(made.gateway.signer.public, made.gateway.chains["local"])


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
        verified = verify_document(msgspec.json.encode(report["proofs"][int(fact["proof"])]), trust(made))
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


CODES = ["CONSENT_NONE", "CONSENT_EXPIRED", "CONSENT_NOT_YET", "CONSENT_PURPOSE", "CONSENT_SCOPE"]


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
    person = people[-1 - CODES.index(code)]
    if changed is not None:
        today = made.gateway.clock.today()
        days = {k: today + timedelta(days=v) for k, v in changed.items() if isinstance(v, int)}
        consent(made, person, **changed | days)
    with pytest.raises(Refused) as refused:
        ask(made, person, **asked)
    assert refused.value.code == code
    latest = made.gateway.office.recent(EVERYTHING, BANK, 1)[0]
    assert (latest.result, latest.report_hash) == (code, None)


def test_a_bank_asks_by_its_key(made: House) -> None:
    """Consent, report, the same again, revocation; another's desk is closed to it, and no answer but the report says whom."""
    people = [r for r in made.records("household_member") if not r["died_on"]]
    person, application = people[7], build(made.gateway, lambda: True)
    desk, role = f"/api/v1/institutions/{BANK}", f"bank:{BANK}"
    who = {"id_no": person["id_no"], "name": person["name"], "purpose": "credit_line"}
    refused = web(application, f"{desk}/reports", "POST", json=who, role=role)
    assert (refused.status_code, "授权" in refused.json()["detail"]) == (422, True)
    terms = {**who, "valid_to": "2027-12-31", "express": "true"}
    given = web(application, f"{desk}/consents", "POST", form=terms, file=b"signed", role=role).json()
    report = web(application, f"{desk}/reports", "POST", json=who, role=role)
    assert report.status_code == 200
    number = msgspec.json.decode(report.json()["report"])["number"]
    assert web(application, f"{desk}/reports/{number}", role=role).json()["report"] == report.json()["report"]
    assert web(application, f"{desk}/consents/{given['handle']}/revoke", "POST", role=role).json()["revoked_at"]
    for path in ("consents", "reports"):
        told = web(application, f"{desk}/{path}", role=role)
        assert told.json()
        assert not {person["id_no"], person["name"]} & set(re.findall(r'[^"]+', told.text))
    for path in ("consents", "reports", f"reports/{number}"):
        assert web(application, f"/api/v1/institutions/other-bank/{path}", role=role).status_code == 403
        assert web(application, f"{desk}/{path}", role="operator").status_code == 403
    with pytest.raises(Usage):
        made.gateway.office.again(number, "other-bank")


def test_the_pdf_carries_what_proves_it(made: House) -> None:
    person = farmer(made)
    consent(made, person)
    report = query(made, person)
    file = pdf.render(report)
    checked = verify_report(file, trust(made))
    assert checked.ok
    assert checked.proven
    assert attached(file) == pdf.envelope(report)


def test_a_dispute_from_the_report_to_the_answer(made: House) -> None:
    """Marked while it is open, answered in writing, and told nobody else; the person sees all that is held and who read it."""
    person, application = farmer(made), build(made.gateway, lambda: True)
    consent(made, person)
    document = ask(made, person)
    fact = next(f for f in document["facts"] if f["dataset"] == "marriage")
    desk, role = f"/api/v1/institutions/{BANK}", f"bank:{BANK}"
    said = {"fact": fact["id"], "path": "op_date", "claim": "2001-01-01"}
    raised = web(application, f"{desk}/reports/{document['number']}/disputes", "POST", json=said, role=role).json()
    assert (raised["origin"], raised["state"], raised["agency"]) == ("dispute", "open", fact["agency"])
    told = ask(made, person)
    assert [f["disputed"] for f in told["facts"] if f["handle"] == fact["handle"]] == [True]
    assert [d["handle"] for d in told["disputes"]] == [raised["handle"]]
    assert "有异议，核查中" in json.dumps(view(told, "", ()), ensure_ascii=False)
    wrong = {**said, "path": "parties.9.name"}
    assert (
        web(application, f"{desk}/reports/{document['number']}/disputes", "POST", json=wrong, role=role).status_code
        == 422
    )
    (listed,) = web(application, "/api/v1/corrections", role=role).json()
    assert listed["handle"] == raised["handle"]
    assert web(application, "/api/v1/corrections", role=f"agency:{made.county}/丰城市公安局").json() == []

    held = made.gateway.access.about(person["id_no"])
    assert {h["dataset"] for h in held["held"]} >= {"household_member", "marriage", "homestead"}
    assert held["read"][-1]["institution"] == BANK
    assert [c["handle"] for c in held["corrections"]] == [raised["handle"]]
    others = {p["id_no"] for r in made.records("marriage") for p in r["parties"]} - {person["id_no"]}
    assert not others & {value for h in held["held"] for value in h["values"].values()}

    made.gateway.corrections.answer(raised["handle"], "upheld", "核对了档案，登记日期无误", "office")
    told = ask(made, person)
    assert told["disputes"] == []
    (closed,) = web(application, "/api/v1/corrections?state=upheld", role=role).json()
    assert closed["note"] == "核对了档案，登记日期无误"


def test_what_changed_since_is_told_while_the_consent_holds(made: House) -> None:
    person = farmer(made)
    given = consent(made, person)
    document = ask(made, person)
    gateway = made.gateway
    assert gateway.aftermath.changes(document["number"], BANK) == []
    older = {
        **document,
        "facts": [{**f, "version": "0"} for f in document["facts"][:2]],
        "consent": {"handle": given.handle},
    }
    with pytest.MonkeyPatch.context() as patch:
        text = msgspec.json.encode(older)
        patch.setattr(gateway.office, "again", lambda *_: Report(document["number"], text, "", ""))
        changed = gateway.aftermath.changes(document["number"], BANK)
        assert [(c.fact, c.kind) for c in changed] == [(f["id"], "changed") for f in older["facts"]]
        gateway.consents.revoke(given.handle)
        with pytest.raises(Refused) as refused:
            gateway.aftermath.changes(document["number"], BANK)
    assert refused.value.code == "CONSENT_REVOKED"


def test_a_clerk_reads_a_report_on_a_page(made: House) -> None:
    person, application, grant = farmer(made), build(made.gateway, lambda: True), f"bank:{BANK}"
    given = [("id_no", person["id_no"]), ("name", person["name"]), ("purpose", "loan_application")]
    form = {**dict(given), "classes": list(CLASSES), "valid_to": "2027-12-31", "express": "true"}
    assert (
        visit(application, f"/bank/{BANK}/consents", "POST", form=form, file=b"signed", grant=grant).status_code == 303
    )
    asked = visit(
        application, f"/bank/{BANK}/reports", "POST", form={**dict(given), "classes": list(CLASSES)}, grant=grant
    )
    address = asked.headers["location"]
    assert person["id_no"] not in address
    shown = visit(application, address, grant=grant)
    assert (shown.status_code, "三十秒读懂" in shown.text, "没有变化" in shown.text) == (200, True, True)
    assert person["id_no"] not in shown.text
    field = {"fact": "f1", "path": "household_no", "claim": "1"}
    assert visit(application, f"{address}/disputes", "POST", form=field, grant=grant).status_code == 303
    desk = visit(application, "/bank", grant=grant).text
    assert "今日已查" in desk
    assert visit(application, f"{address}/pdf", grant=grant).content.startswith(b"%PDF")
    made.gateway.corrections.answer(
        made.gateway.corrections.within(EVERYTHING)[0].handle, "corrected", "已更正", "office"
    )


def test_a_list_is_answered_in_the_background(made: House) -> None:
    """Each line consented and noted like one alone; whom it names is forgotten with the answer."""
    people = [r for r in made.records("household_member") if not r["died_on"]][20:23]
    for person in people[:2]:
        consent(made, person, purpose="post_loan")
    application, desk, role = build(made.gateway, lambda: True), f"/api/v1/institutions/{BANK}/batches", f"bank:{BANK}"
    lines = [f"{p['id_no']},{p['name']}" for p in people] + ["123,某"]
    form, file = {"purpose": "post_loan"}, "\n".join(["公民身份号码,姓名", *lines]).encode("gb18030")
    handed = web(application, desk, "POST", form=form, file=file, role=role).json()
    assert (handed["total"], handed["done"]) == (4, 0)
    assert made.gateway.batches.answer(60) == 4
    told = web(application, f"{desk}/{handed['handle']}", role=role)
    assert told.json()["results"] == {"OK": 2, "CONSENT_NONE": 1, "INVALID": 1}
    assert [line["result"] for line in told.json()["lines"]] == ["OK", "OK", "CONSENT_NONE", "INVALID"]
    numbers = [line["number"] for line in told.json()["lines"] if line["number"]]
    assert [made.gateway.office.again(n, BANK).document["subject"]["name"] for n in numbers] == [
        p["name"] for p in people[:2]
    ]
    assert not {p["id_no"] for p in people} & set(re.findall(r"\w+", told.text))
    with made.gateway.store.read() as tx:
        assert tx.all("batch_lines_waiting", count=9) == []
    assert web(application, f"{desk}/{handed['handle']}", role="operator").status_code == 403
    for wrong in (b"", b"only one column", b"x,y\n" * 10_001, b"\xff\xff\xff"):
        assert web(application, desk, "POST", form=form, file=wrong, role=role).status_code == 422


def made_late(made: House, person: dict[str, Any], late: str, **said: Any) -> dict[str, Any]:
    """The report as it would be if this dataset's duty were overdue, and the catalogue said so of it."""
    office, catalogue = made.gateway.office, dict(made.gateway.config.catalogue)
    catalogue[late] = catalogue[late].model_copy(update={"stale": StaleModel(**said)})
    duty = made.gateway.ledger.standings(EVERYTHING, made.county, late)[0]
    maker = ReportMaker(
        made.gateway.store,
        made.gateway.finder,
        made.gateway.disclosure,
        catalogue,
        Beside(lambda _county: {late: replace(duty, code="overdue")}),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(office, "_maker", maker)
        return ask(made, person)


def test_what_is_late_is_flagged_served_or_withheld(made: House) -> None:
    person = farmer(made)
    consent(made, person)
    sections = lambda told: {s["id"]: s for s in told["sections"]}  # said once, used thrice
    facts = lambda told: [f for f in told["facts"] if f["dataset"] == "homestead"]  # as above

    told = made_late(made, person, "homestead")
    assert facts(told)
    assert {(f["freshness"]["code"], f["freshness"]["stale"]) for f in facts(told)} == {("overdue", True)}
    assert all(field["stale"] for fact in facts(told) for field in fact["fields"])
    assert [s["id"] for s in told["sections"] if s["stale"]] == ["real_estate"]
    assert "来源逾期" in json.dumps(view(told, "", ()), ensure_ascii=False)

    told = made_late(made, person, "homestead", fields={"holders.share": "withhold", "seized": "serve"})
    assert all(f["group"].partition("/")[0] != "holder" for fact in facts(told) for f in fact["fields"])
    assert all("holder/0" not in told["proofs"][int(fact["proof"])]["disclosed"] for fact in facts(told))
    assert {f["stale"] for fact in facts(told) for f in fact["fields"] if f["path"] == "seized"} == {False}

    told = made_late(made, person, "homestead", policy="withhold")
    assert facts(told) == []
    assert sections(told)["real_estate"]["withheld"][0]["dataset"] == "homestead"
    told = made_late(made, person, "marriage", policy="withhold")
    found = sections(told)["marriage"]
    assert (found["state"], found["why"], found["derived"]) == ("unknown", "withheld", None)
    assert "MARITAL_CONFLICT" not in {d["code"] for d in told["discrepancies"]}


def test_nothing_is_told_of_a_class_that_was_not_asked_for(made: House) -> None:
    """Not even that it contradicts what was asked for."""
    codes = {"MARITAL_CONFLICT", "NAMES_DIFFER"}
    heads = sorted((r for r in made.records("household_member")), key=lambda r: str(r["id_no"]))
    for person in heads:
        consent(made, person)
        if codes & {d["code"] for d in ask(made, person)["discrepancies"]}:
            break
    else:
        pytest.fail("nobody contradicts anything")
    for one in CLASSES:
        told = ask(made, person, classes={one})
        allowed = {name for s in SECTIONS if s.consent == one for name in s.datasets}
        assert {f["dataset"] for f in told["facts"]} <= allowed
        assert not codes & {d["code"] for d in told["discrepancies"]}


def test_the_seal_is_seen_by_any_reader(made: House) -> None:
    """And both checkers read the sealed file as they read the other."""
    person = farmer(made)
    consent(made, person)
    report = query(made, person)
    file = made.gateway.pdf(report)
    assert attached(file) == pdf.envelope(report)
    assert verify_report(file, trust(made)).ok
    keys = made.gateway.settings.data / "keys"
    assert (keys / "seal.key").stat().st_mode & 0o777 == 0o600
    (authority,) = load_certs_from_pemder([str(keys / "seal-ca.pem")])
    for at, whole in ((None, True), (file.index(b"/Type/Page") + 6, False)):
        body = file if at is None else file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]
        (signature,) = PdfFileReader(io.BytesIO(body), strict=False).embedded_signatures
        signature.compute_integrity_info()
        status = validate_pdf_signature(signature, ValidationContext(trust_roots=[authority]))
        assert (status.intact, status.valid and status.trusted) == (whole, whole)
    assert Seal(made.gateway.settings.data, "x").put(pdf.render(report)), "the key is made once"


@pytest.fixture(scope="module")
def archived(made: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a bank keeps: the report, the pinned key, exported headers; and nothing else."""
    folder = tmp_path_factory.mktemp("archive")
    person = farmer(made)
    consent(made, person)
    (folder / "report.pdf").write_bytes(pdf.render(query(made, person)))
    (folder / "report.json").write_bytes(attached((folder / "report.pdf").read_bytes()))
    shutil.copy(made.gateway.paths.signer_public, folder / "signer.pub")
    made.gateway.chains["local"].export_headers(folder / "headers.jsonl")
    return folder


def alone(folder: Path, report: str = "report.pdf") -> subprocess.CompletedProcess[str]:
    """The stand-alone checker in an empty environment."""
    command = [sys.executable, "-I", str(ROOT / "tools" / "verify_report.py"), str(folder / report)]
    command += ["--signer", str(folder / "signer.pub"), "--headers", str(folder / "headers.jsonl")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=folder)


@pytest.mark.parametrize("file", ["report.pdf", "report.json"])
def test_a_stranger_verifies_it_with_one_file(archived: Path, file: str) -> None:
    done = alone(archived, file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PROVEN")


@pytest.fixture(scope="module")
def at_a_node(made: House, archived: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same archive with the headers of a consortium chain that holds every batch just there."""
    folder = tmp_path_factory.mktemp("node") / "a"
    shutil.copytree(archived, folder)
    blocks = made.gateway.chains["local"].blocks(made.gateway.signer.public)  # type: ignore[attr-defined]
    placed = [(b, b.receipt("local")) for b, _ in blocks]
    write_headers(
        folder / "headers.jsonl",
        "local",
        [EvmBlock(r.block, r.block_hash, r.tx, r.at, b.batch_id, b.manifest, b.manifest_signature) for b, r in placed],
        made.gateway.signer,
    )
    return folder


def test_headers_of_a_consortium_chain_do_as_well(at_a_node: Path) -> None:
    done = alone(at_a_node)
    assert (done.returncode, done.stdout[:6]) == (0, "PROVEN"), done.stderr


def _digest_again(lines: list[bytes]) -> None:
    top = json.loads(lines[0])
    top["digest"] = hashlib.sha256(b"".join(line + b"\n" for line in lines[1:])).hexdigest()
    lines[0] = json.dumps(top).encode()


def _unsigned(lines: list[bytes]) -> None:
    _digest_again(lines)
    lines[0] = json.dumps(json.loads(lines[0]) | {"signature": ""}).encode()


@pytest.mark.parametrize(
    ("mend", "told"),
    [
        (lambda _lines: None, "the lines are not those"),
        (_digest_again, "the first line is not signed"),
        (_unsigned, "the batch in block 1 is not signed"),
    ],
    ids=["as it is", "digested again", "as if fetched"],
)
def test_a_changed_line_of_them_proves_nothing(
    at_a_node: Path, tmp_path: Path, mend: Callable[[list[bytes]], None], told: str
) -> None:
    shutil.copytree(at_a_node, tmp_path / "a")
    headers = tmp_path / "a" / "headers.jsonl"
    lines = headers.read_bytes().splitlines()
    lines[1] = lines[1].replace(b"360981", b"360982", 1)
    mend(lines)
    headers.write_bytes(b"".join(line + b"\n" for line in lines))
    done = alone(tmp_path / "a")
    assert (done.returncode, f"NOT PROVEN  CHAIN: {told}" in done.stderr) == (1, True), done.stderr


def resigned(made: House, archived: Path, alter: Callable[[dict[str, Any]], None]) -> bytes:
    """The report with something altered, signed again by a gateway that lies: the chain must tell."""
    document = json.loads(json.loads((archived / "report.json").read_bytes())["report"])
    alter(document)
    text = msgspec.json.encode(document, order="sorted")
    signature = made.gateway.signer.sign("report", text).hex()
    return msgspec.json.encode({"report": text.decode(), "signature": signature})


def _first(document: dict[str, Any]) -> dict[str, Any]:
    proven: dict[str, Any] = document["proofs"][int(document["facts"][0]["proof"])]
    return proven


LIES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a value": (lambda d: d["facts"][0]["fields"][0].update(value="36099919800101999X"), "FACT"),
    "a channel": (lambda d: d["facts"][0].update(channel="MANUAL"), "FACT"),
    "a disclosed value": (lambda d: next(iter(_first(d)["disclosed"].values()))["values"].update(name="某"), "GROUP"),
    "a salt": (lambda d: next(iter(_first(d)["disclosed"].values())).update(salt="00" * 32), "GROUP"),
    "an envelope": (lambda d: _first(d)["envelope"].update(version="9"), "ROOT"),
    "a path": (lambda d: _first(d)["path"].__setitem__(0, "00" * 32), "ROOT"),
    "an index": (lambda d: _first(d).update(index="0" if _first(d)["index"] != "0" else "1"), "ROOT"),
    "a manifest": (lambda d: _first(d)["manifest"].update(submitter="别人"), "SIGNATURE"),
    "a receipt": (
        lambda d: _first(d)["receipt"].update(block="1" if _first(d)["receipt"]["block"] != "1" else "2"),
        "RECEIPT",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_named_by_both_checkers(made: House, archived: Path, tmp_path: Path, lie: str) -> None:
    alter, code = LIES[lie]
    file = resigned(made, archived, alter)
    shutil.copytree(archived, tmp_path / "a")
    (tmp_path / "a" / "report.json").write_bytes(file)
    checked = verify_report(file, trust(made))
    assert (checked.broken[0][0], checked.broken[0][1]) == ("f1", code)
    done = alone(tmp_path / "a", "report.json")
    assert done.returncode == 1
    assert f"NOT PROVEN  {code}: fact f1" in done.stderr


def test_any_byte_of_what_is_attached_is_signed(made: House, archived: Path) -> None:
    file = (archived / "report.json").read_bytes()
    for at in random.Random(1).sample(range(len(file)), 60):
        changed = file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :]
        with pytest.raises(ProofInvalid) as refused:
            verify_report(changed, trust(made))
        assert refused.value.code in {"SIGNATURE", "REPORT"}


def test_a_changed_ledger_proves_nothing(archived: Path, tmp_path: Path) -> None:
    shutil.copytree(archived, tmp_path / "a")
    headers = tmp_path / "a" / "headers.jsonl"
    lines = headers.read_text().splitlines()
    headers.write_text("\n".join([lines[0], lines[1].replace("360981", "360982", 1), *lines[2:]]))
    done = alone(tmp_path / "a")
    assert (done.returncode, "NOT PROVEN  CHAIN: block 1" in done.stderr) == (1, True)
