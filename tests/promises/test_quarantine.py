"""What is rejected comes home: by cause, to the agency in its own terms and back, in place, returned, settled by itself (ADR 0017)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from adapters.kit import SourceMalformed
from gateway.audit import Action, Actor, NotAllowed
from gateway.auditlog import AuditLog
from gateway.clock import SHANGHAI
from gateway.errors import Usage
from gateway.quarantine import cures
from gateway.scope import EVERYTHING, Place, Scope
from gateway.status import reconcile
from gateway.store import Store
from gateway.trace import trace
from gateway.vault import handle_text
from gateway.web import build
from tests.support.front import FEED, County, row
from tests.support.postgres import EMPTIED
from tests.support.verbs import shuqiao
from tests.support.web import ask

CLERK = Actor.person("zhang")
EACH = 50
FAULTS: tuple[tuple[str, str, str, str | None], ...] = (
    ("SFZH", "{short}0", "ID_FORM", "id_no"),
    ("SFZH", "3609**********{tail}", "ID_MASKED", "id_no"),
    ("SFZH", "3.60999E+17", "ID_PRECISION_LOST", "id_no"),
    ("JZLX", "其它", "CODE_UNKNOWN", "kind"),
    ("JZZH", "", "KEY_MISSING", "cert_no"),
    ("XM", "", "MISSING", "name"),
    ("QSNY", "202313", "BAD_DATE", "since"),
    ("BZJE", "四百二", "BAD_NUMBER", "monthly_amount"),
    ("SSNY", "", "MISSING", "period"),
    ("SFZH", "{wrong}", "ID_CHECKSUM", "id_no"),
)
"""Column, what stands there instead, and why the row cannot be read."""


def spoilt(serial: int) -> dict[str, str]:
    """A row with the fault that its serial plants."""
    good = row(serial)
    column, value, _, _ = FAULTS[serial % len(FAULTS)]
    number = good["SFZH"]
    wrong = number[:17] + ("0" if number[17] != "0" else "1")
    return {**good, column: value.format(short=number[:9], tail=number[14:], wrong=wrong)}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[County]:
    """600 rows, 500 of them spoilt in ten ways, collected once. Who takes it does not change it."""
    made = County(tmp_path_factory.mktemp("planted"))
    made.fill([*(spoilt(n) for n in range(500)), *(row(n) for n in range(500, 600))])
    assert made.sync().state == "done"
    yield made
    made.close()


def sheet(body: bytes) -> Any:
    """The only sheet of a workbook."""
    (found,) = load_workbook(BytesIO(body)).worksheets
    return found


def corrected(body: bytes, right: dict[str, dict[str, str]], *, columns: tuple[str, ...] = ()) -> bytes:
    """As the agency would: whoever's certificate or remark is known gets the right value where it is yellow."""
    book = load_workbook(BytesIO(body))
    (page,) = book.worksheets
    top = next(cells[0].row for cells in page.iter_rows() if cells[0].value == "编号")
    names = [cell.value for cell in page[top]]
    for cells in page.iter_rows(min_row=top + 1):
        handle = str(cells[0].value)
        for name, cell in zip(names, cells, strict=True):
            if handle in right and (cell.fill.start_color.rgb == "00FFF2CC" or name in columns):
                cell.value = right[handle][str(name)]
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def truth(made: County) -> dict[str, dict[str, str]]:
    """Handle -> the row as it should have been: the agency knows its own rows by the technical key."""
    return {item.handle: row(int(item.item["BZ"][2:])) for item in made.gateway.quarantine.unsettled(FEED)}


def test_five_hundred_faults_are_ten_causes(planted: County) -> None:
    found = {(cause.reason, cause.field): cause.rows for cause in planted.gateway.quarantine.causes(EVERYTHING)}
    assert found == {(reason, field): EACH for _, _, reason, field in FAULTS}
    shown = shuqiao(planted.settings, "quarantine", "list", "--causes")
    assert shown.stdout.count("50 行，同一原因") == 10


def test_the_masked_export_leaks_nothing_and_the_full_one_is_audited(planted: County, tmp_path: Path) -> None:
    good = [row(n) for n in range(500)]
    secrets = {g["SFZH"] for g in good} | {g["XM"] for g in good} | {g["JZZH"] for g in good} | {"说明3"}
    file = tmp_path / "out.xlsx"
    done = shuqiao(planted.settings, "quarantine", "export", str(file), "--agency", "丰城市民政局")
    assert done.exit_code == 0, done.output
    page = sheet(file.read_bytes())
    texts = {str(cell.value) for cells in page.iter_rows() for cell in cells if cell.value is not None}
    assert secrets & texts == set()
    assert not any(len(part) == 18 and part[:17].isdigit() for text in texts for part in text.split())
    assert {"身份证号被打码，请部门提供完整号码。", "身份证号"} <= texts
    assert [cell.value for cell in page[4]][:6] == ["编号", "核对码", "原因", "栏目", "位置", "首次发现"]
    assert {"JZZH", "SFZH", "BZ"} < {cell.value for cell in page[4]}
    assert page.protection.sheet
    assert page["A5"].protection.locked
    assert not page["H5"].protection.locked
    full = planted.gateway.repairs.export(CLERK, EVERYTHING, feed=FEED, full=True)
    assert row(0)["XM"] in {cell.value for cells in sheet(full).iter_rows() for cell in cells}
    with planted.gateway.store.read() as tx:
        actions = [r.action for r in tx.all("audit_all")]
    assert actions[-2:] == ["quarantine_export", "unmask"]


def test_unmasking_is_a_matter_of_role(planted: County, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoUnmask:
        def authorize(self, actor: Actor, action: Action, target: str, place: Place | None = None) -> Scope:
            if action is Action.UNMASK:
                raise NotAllowed(actor, action, target)
            return EVERYTHING

        def allows(self, *_: object) -> bool:
            return False

    g = planted.gateway
    monkeypatch.setattr(g, "audit", AuditLog(g.store, g.clock, NoUnmask()))
    with pytest.raises(NotAllowed):
        g.repairs.export(CLERK, EVERYTHING, feed=FEED, full=True)
    assert g.repairs.export(CLERK, EVERYTHING, feed=FEED)
    application = build(g, lambda: True)
    assert ask(application, f"/api/v1/quarantine/export?feed={FEED}&full=true").status_code == 403


@pytest.mark.parametrize("full", [False, True])
def test_the_round_trip(tmp_path: Path, *, full: bool) -> None:
    made = County(tmp_path)
    made.fill([*(spoilt(n) for n in range(500)), *(row(n) for n in range(500, 600))])
    made.sync()
    right = truth(made)
    body = corrected(made.gateway.repairs.export(CLERK, EVERYTHING, feed=FEED, full=full), right)
    before = made.versions()
    tried = made.gateway.repairs.take_back(CLERK, EVERYTHING, body, dry_run=True)
    assert (tried.accepted, made.versions()) == (500, before), "a dry run changes nothing"
    (tmp_path / "back.xlsx").write_bytes(body)
    done = shuqiao(made.settings, "quarantine", "import", str(tmp_path / "back.xlsx"))
    assert done.exit_code == 0, done.output
    assert "500 行：采用 500，仍有问题 0，未改 0，未采用 0" in done.stdout
    held = made.versions()
    assert len(held) == 600
    assert {cert: record["id_no"] for cert, (record, _, _) in held.items()} == {
        row(n)["JZZH"]: row(n)["SFZH"] for n in range(600)
    }
    flagged = {cert: flags for cert, (_, flags, _) in held.items() if "BY_HAND" in flags}
    assert len(flagged) == 500
    assert flagged[row(3)["JZZH"]] == "kind:BY_HAND"
    for item in made.gateway.quarantine.items(EVERYTHING, FEED, "repaired", 1000):
        history = made.gateway.quarantine.show(item.handle, {"XM": "name", "SFZH": "id_no"}).history
        assert [event.event for event in history] == ["held", "repaired"]
        assert history[1].actor.startswith("person:")
        assert len(history[1].changes) == 1
    assert made.gateway.quarantine.causes(EVERYTHING) == []
    assert reconcile(made.gateway.store, []) == []
    with made.gateway.store.read() as tx:
        assert tx.one("feed_by_name", name=FEED).channel == "SYSTEM"
    again = made.gateway.repairs.take_back(CLERK, EVERYTHING, body)
    assert (again.accepted, again.settled) == (0, 500)
    assert "已了结（已修复）" in again.told[0].sentence
    made.close()


@pytest.fixture
def county(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[County]:
    """Six good rows and four spoilt ones in a list that is read whole each time."""
    url = None
    if getattr(request, "param", "sqlite") == "postgres":
        url = request.getfixturevalue("postgres_url")
        emptied = Store.open(url)
        with emptied.engine.begin() as connection:
            connection.execute(text(EMPTIED))
        emptied.close()
    made = County(tmp_path, snapshot=True, store=url)
    made.fill([*(spoilt(n) for n in (0, 3, 5, 6)), *(row(n) for n in range(10, 16))])
    assert made.sync().state == "done"
    yield made
    made.close()


def handles(made: County) -> dict[int, str]:
    return {int(item.item["BZ"][2:]): item.handle for item in made.gateway.quarantine.unsettled(FEED)}


def test_one_is_put_right_in_place_and_stays_so_however_often_the_bad_row_is_read(county: County) -> None:
    handle = handles(county)[3]
    typed = shuqiao(
        county.settings, "quarantine", "repair", handle, "--column", "JZLX", "--note", "查了档案", typed="2\n"
    )
    assert typed.exit_code == 0, typed.output
    record, flags, number = county.versions()[row(3)["JZZH"]]
    assert (record["kind"], flags, number) == ("2", "kind:BY_HAND", 1)
    for full in (False, True):
        done = county.sync(full=full)
        assert (done.counts["changed"], done.counts["gone"]) == (0, 0)
        assert row(3)["JZZH"] in county.versions(), "a list in which the row is still wrong does not withdraw it"
    item = county.gateway.quarantine.show(handle, {"JZLX": "code"})
    assert item.history[1].changes == {"JZLX": ("其它", "2")}
    assert item.history[1].note == "查了档案"
    shown = shuqiao(county.settings, "quarantine", "show", handle).stdout
    assert "JZLX: 其它 → 2" in shown
    county.fill([row(3, XM="赵光", GXSJ="2026-03-04 09:00:00"), *(row(n) for n in range(10, 16))])
    county.sync(allow_vanish=True)
    record, flags, number = county.versions()[row(3)["JZZH"]]
    assert (record["name"], flags, number) == ("赵光", "", 2), "what the source says next stands"


def test_what_a_person_put_right_is_traced_to_the_correction(county: County) -> None:
    county.gateway.repairs.put_right(CLERK, handles(county)[3], {"JZLX": "2"})
    with county.gateway.store.read() as tx:
        (run,) = [r for r in tx.all("runs_of_feed", feed=FEED, count=9) if r.reason == "repair"]
        made = tx.one("overrides_standing", feed_id=run.feed_id)
    found = trace(county.gateway, handle_text(made.handle))
    assert (found.request, found.channel, found.flags, found.run_id) == ("repair", "SYSTEM", "kind:BY_HAND", run.id)
    assert run.actor == "person:zhang"


def test_a_spoilt_row_keeps_its_record_alive_every_time_it_is_read(county: County) -> None:
    """The row of a known person turns unreadable and stays so for days: nobody is withdrawn for it."""
    for _ in range(3):
        county.fill([row(10, BZJE="四百"), *(spoilt(n) for n in (0, 3, 5, 6)), *(row(n) for n in range(11, 16))])
        assert county.sync().counts["gone"] == 0
    assert row(10)["JZZH"] in county.versions()


def test_what_cannot_be_taken_is_told_row_by_row(county: County) -> None:
    g, names = county.gateway, handles(county)
    body = g.repairs.export(CLERK, EVERYTHING, feed=FEED)
    g.quarantine.discard(names[5], "重复申请", str(CLERK))
    right = truth(county)
    right[names[3]] = {**right[names[3]], "JZLX": "九"}
    done = g.repairs.take_back(CLERK, EVERYTHING, corrected(body, right))
    assert (done.rows, done.accepted, done.refused, done.settled) == (4, 2, 1, 1)
    told = {verdict.handle: (verdict.code, verdict.column, verdict.place[-1]) for verdict in done.told}
    assert told[names[3]] == ("CODE_UNKNOWN", "JZLX", "6")
    assert told[names[5]][0] == ""
    assert {item.handle for item in g.quarantine.items(EVERYTHING, FEED)} == {names[3]}, (
        "a correction that fails is no second item"
    )


def test_cells_that_moved_are_not_taken(county: County) -> None:
    """Sorted by one column, handles against other people's values."""
    book = load_workbook(BytesIO(county.gateway.repairs.export(CLERK, EVERYTHING, feed=FEED, full=True)))
    (page,) = book.worksheets
    page["A5"].value, page["A6"].value = page["A6"].value, page["A5"].value
    for column in range(7, page.max_column + 1):
        a, b = page.cell(7, column), page.cell(8, column)
        a.value, b.value = b.value, a.value
    out = BytesIO()
    book.save(out)
    done = county.gateway.repairs.take_back(CLERK, EVERYTHING, out.getvalue())
    assert (done.accepted, done.settled) == (0, 4)
    assert {verdict.sentence.partition("，")[0] for verdict in done.told} == {
        "这一行在导出之后变了",
        "这一行大半与导出时不同",
    }


@pytest.mark.parametrize("body", [b"", b"PK\x03\x04", "编号,核对码\n".encode()])
def test_what_is_no_workbook_of_ours_is_refused(county: County, body: bytes) -> None:
    with pytest.raises(SourceMalformed):
        county.gateway.repairs.take_back(CLERK, EVERYTHING, body)


def test_a_correction_never_overrides_a_newer_source_time(county: County) -> None:
    g, handle = county.gateway, handles(county)[5]
    with g.store.read() as tx:
        contact = tx.one("feed_by_name", name=FEED).contact_at
    county.fill([row(5, XM="钱强", GXSJ="2026-03-03 09:00:00"), *(row(n) for n in range(10, 16))])
    body = g.repairs.export(CLERK, EVERYTHING, feed=FEED)
    county.sync(allow_vanish=True)
    done = g.repairs.take_back(CLERK, EVERYTHING, corrected(body, {handle: {"XM": "孙某"}}))
    assert (done.accepted, done.settled) == (0, 1), "the source settled it by itself"
    assert g.quarantine.show(handle, {}).state == "superseded"
    assert county.versions()[row(5)["JZZH"]][0]["name"] == "钱强"
    with g.store.read() as tx:
        assert tx.one("feed_by_name", name=FEED).contact_at >= contact


def test_returned_to_the_agency_with_a_notice_and_cured_by_the_source(county: County) -> None:
    g = county.gateway
    done = shuqiao(county.settings, "quarantine", "return", FEED, "--note", "请三日内更正")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("丰城市民政局：贵单位报送的丰城市“社会救助”有 4 行未能采用，现退回，请核对更正。")
    assert "说明：请三日内更正" in done.stdout
    assert [cause.returned for cause in g.quarantine.causes(EVERYTHING)] == [1] * 4
    (told,) = g.quarantine.returned(EVERYTHING)
    assert (told.items, told.waiting, told.agency) == (4, 4, "丰城市民政局")
    began = g.clock.now()
    g.clock.set((began + timedelta(days=2)).astimezone(SHANGHAI))
    county.fill([*(row(n, GXSJ="2026-03-04 09:00:00") for n in (3, 5, 6)), spoilt(0), *(row(n) for n in range(10, 16))])
    county.sync()
    (told,) = g.quarantine.returned(EVERYTHING)
    assert told.waiting == 1
    (cure,) = cures(g.store, g.config, EVERYTHING)
    assert (cure.agency, cure.open, cure.returned, cure.cured) == ("丰城市民政局", 1, 1, 3)
    assert cure.median_days == pytest.approx(2.0, abs=0.01)
    assert cure.oldest is not None
    shown = shuqiao(county.settings, "status", "--summary").stdout
    assert "民政局" in shown
    assert ask(build(g, lambda: True), "/api/v1/quarantine/agencies").json()[0]["cured"] == 3
    with pytest.raises(Usage, match="证件号"):
        g.quarantine.give_back(g.repairs.terms(FEED), list(handles(county).values()), row(1)["SFZH"], "x")


@pytest.mark.parametrize("county", ["sqlite", "postgres"], indirect=True)
def test_the_api_does_what_the_command_line_does(county: County) -> None:
    g, names = county.gateway, handles(county)
    application = build(g, lambda: True)
    assert len(ask(application, "/api/v1/quarantine/causes").json()) == 4
    assert {item["handle"] for item in ask(application, "/api/v1/quarantine").json()} == set(names.values())
    body = ask(application, f"/api/v1/quarantine/export?feed={FEED}").content
    done = ask(application, "/api/v1/quarantine/corrections", "POST", file=corrected(body, {names[0]: row(0)}))
    assert (done.json()["accepted"], done.json()["unchanged"]) == (1, 3)
    one = ask(application, f"/api/v1/quarantine/{names[3]}/repair", "POST", json={"columns": {"JZLX": "2"}})
    assert one.json()["state"] == "accepted", one.text
    back = ask(application, f"/api/v1/quarantine/return/{FEED}", "POST", json={"note": "请更正", "handles": [names[5]]})
    assert back.json()["items"] == 1, back.text
    gone = ask(application, f"/api/v1/quarantine/{names[6]}/discard", "POST", json={"reason": "重复申请"})
    assert gone.json()["state"] == "discarded", gone.text
    assert ask(application, "/api/v1/quarantine/returned").json()[0]["waiting"] == 1
    told = ask(application, f"/api/v1/quarantine/{names[6]}").json()
    assert (told["state"], told["history"][-1]["note"]) == ("discarded", "重复申请")
    assert ask(application, f"/api/v1/quarantine/{'a' * 32}").status_code == 404
