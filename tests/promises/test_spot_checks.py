"""A county is checked on the spot: drawn, filled in, told; what is wrong goes to its agency and is answered (ADR 0020)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from gateway.reports import view
from gateway.scope import EVERYTHING
from gateway.spotcheck import Answer
from gateway.vault import handle_bytes
from gateway.web import build
from tests.promises.test_reports import consent, query
from tests.support.house import COUNTY, House, house
from tests.support.web import ask, visit

pytestmark = pytest.mark.sockets
READ = ("household_member", "marriage", "homestead", "subsidy")
CLERK = f"county:{COUNTY}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with (
        pytest.MonkeyPatch.context() as patch,
        house(tmp_path_factory.mktemp("checked"), patch, households=40, dirt=0) as running,
    ):
        running.sync(*READ)
        running.gateway.forwarder.forward()
        yield running


def filled(sheet: bytes, wrong: int) -> bytes:
    """As the team brings it back: all right, but the first so many values of marriages; one cannot be told."""
    book = load_workbook(BytesIO(sheet))
    page = book.active
    rows = [row for row in page.iter_rows(min_row=4) if row[0].value]
    for row in rows:
        row[6].value = "一致"
    acts = [row for row in rows if row[2].value == "婚姻登记" and row[4].value == "登记日期"]
    for row in acts[:wrong]:
        row[6].value, row[7].value = "不一致", "1999-01-01"
    acts[wrong][6].value = "无法核实"
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_check_from_the_draw_to_the_report(made: House) -> None:
    application, checks = build(made.gateway, lambda: True), f"/api/v1/counties/{COUNTY}/spot-checks"
    number = ask(application, f"{checks}?each=8&seed=s", "POST", role=CLERK).json()["check"]
    again = made.gateway.spot_checks.draw(COUNTY, each=8, seed="s", actor="x")
    first, second = (made.gateway.spot_checks.sample(n) for n in (number, again))
    assert [d.fact.handle for d in first] == [d.fact.handle for d in second]
    assert {d.fact.dataset for d in first} == set(READ)
    assert max(sum(d.fact.feed == feed for d in first) for feed in made.feeds.values()) == 8

    sheet = ask(application, f"{checks}/{number}/sheet.xlsx", role=CLERK)
    back = ask(application, f"{checks}/{number}/sheet", "POST", file=filled(sheet.content, 2), role=CLERK).json()
    assert (back["wrong"], len(back["tickets"])) == (2, 2)
    for told in (ask(application, "/api/v1/accuracy", role=CLERK), ask(application, "/api/v1/corrections", role=CLERK)):
        assert not re.search("1999-01-01.*姓名|36099919", told.text)

    (measured,) = [
        m for m in made.gateway.spot_checks.measured(EVERYTHING) if (m.dataset, m.field) == ("marriage", "op_date")
    ]
    assert (measured.accuracy.right, measured.accuracy.checked, measured.channel) == (5, 7, "SYSTEM")
    assert measured.agency == "丰城市民政局"

    person = next(r for r in made.records("household_member") if r["relation_to_head"] == "02" and _wed(made, r))
    consent(made, person)
    report = query(made, person).document
    act = next(f for f in report["facts"] if f["dataset"] == "marriage")
    said = next(f for f in act["fields"] if f["path"] == "op_date")["accuracy"]
    assert (said["right"], said["checked"]) == ("5", "7")
    assert float(said["low"]) < 5 / 7 < float(said["high"])
    assert "项）" in str(view.view(report, "", ()))


def _wed(made: House, person: dict[str, Any]) -> bool:
    return any(p["id_no"] == person["id_no"] for act in made.records("marriage") for p in act["parties"])


def test_a_wrong_value_is_traced_and_its_agency_answers(made: House) -> None:
    application, gateway = build(made.gateway, lambda: True), made.gateway
    number = gateway.spot_checks.draw(COUNTY, each=3, seed="t", actor="x")
    drawn = next(d for d in gateway.spot_checks.sample(number) if d.fact.dataset == "homestead")
    cell = next(c for c in drawn.cells if c.path == "land_area_m2")
    wrong = Answer(drawn.item, cell.path, "wrong", "120.00")
    (ticket,) = gateway.spot_checks.take(number, [wrong], "team").tickets
    assert gateway.spot_checks.take(number, [wrong], "team").tickets == (ticket,), "entered twice, asked once"
    asked = gateway.corrections.get(ticket)
    assert (asked.said, asked.claimed, asked.observation) == (cell.value, "120.00", drawn.fact.handle)
    assert asked.record == {"unit_no": drawn.fact.text("unit_no"), "cert_no": drawn.fact.text("cert_no")}
    told = asked.as_dict()["record"]
    assert set(told) == {"不动产单元号", "不动产权证号"}
    assert not set(told.values()) & set(asked.record.values()), "masked, as everywhere"
    assert asked.evidence == drawn.fact.version.evidence_hash.hex()
    with gateway.store.read() as tx:
        run = tx.one("run_get", id=asked.run)
        feed = tx.one("feed_by_name", name=made.feeds["homestead"])
    assert run.feed_id == feed.id
    day = date.fromisoformat(asked.due_on)
    assert gateway.config.calendar.is_workday(day)
    assert timedelta(10) < day - gateway.clock.today() <= timedelta(20)

    office = f"agency:{COUNTY}/{asked.agency}"
    path = f"/api/v1/corrections/{COUNTY}/homestead/{ticket}/answer"
    assert ask(application, path, "POST", json={"outcome": "upheld", "note": " "}, role=office).status_code == 422
    other = f"agency:{COUNTY}/丰城市民政局"
    assert ask(application, path, "POST", json={"outcome": "upheld", "note": "已核"}, role=other).status_code == 403
    done = ask(application, path, "POST", json={"outcome": "corrected", "note": "已在登记系统更正"}, role=office)
    assert (done.json()["state"], done.json()["said"]) == ("corrected", asked.said)
    assert ticket not in {c.handle for c in gateway.corrections.within(EVERYTHING)}


def test_a_mistake_of_the_team_is_taken_back(made: House) -> None:
    checks = made.gateway.spot_checks
    number = checks.draw(COUNTY, each=2, seed="u", actor="x")
    drawn = checks.sample(number)[0]
    path = drawn.cells[-1].path
    (ticket,) = checks.take(number, [Answer(drawn.item, path, "wrong", "别的")], "team").tickets
    checks.take(number, [Answer(drawn.item, path, "right")], "team")
    assert made.gateway.corrections.get(ticket).state == "withdrawn"


def test_what_was_erased_is_in_no_request_and_no_sheet(made: House) -> None:
    gateway = made.gateway
    number = gateway.spot_checks.draw(COUNTY, each=4, seed="v", actor="x")
    drawn = next(d for d in gateway.spot_checks.sample(number) if d.fact.dataset == "subsidy")
    (ticket,) = gateway.spot_checks.take(number, [Answer(drawn.item, "amount", "wrong", "1.00")], "x").tickets
    gateway.eraser.observation(drawn.fact.handle)
    found = gateway.corrections.get(ticket)
    assert (found.said, found.claimed, found.state) == (None, None, "withdrawn")
    assert drawn.item not in {d.item for d in gateway.spot_checks.sample(number)}
    with gateway.store.read() as tx:
        assert tx.all("corrections_of", observation=handle_bytes(drawn.fact.handle)) == []


def test_it_is_filled_in_on_a_page(made: House) -> None:
    application = build(made.gateway, lambda: True)
    made_check = visit(application, f"/checks/{COUNTY}", "POST", form={"each": "2"}, grant=CLERK)
    place = made_check.headers["location"]
    page = visit(application, place, grant=CLERK).text
    item = re.search(rf'action="({place}/items/\d+)"', page)[1]
    paths = re.findall(r'name="path" value="([^"]+)"', page.split(item)[1].split("</form>")[0])
    form = {
        "path": paths,
        "verdict": ["wrong", *["right"] * (len(paths) - 1)],
        "found": ["别的", *[""] * (len(paths) - 1)],
    }
    assert visit(application, item, "POST", form=form, grant=CLERK).status_code == 303
    shown = visit(application, "/checks", grant=CLERK)
    assert (shown.status_code, "答复" in shown.text) == (200, True)
