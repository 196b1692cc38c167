"""A recording replays its adapter offline and holds nobody: every private value that went in is looked for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.civil_affairs import CivilAffairs
from adapters.kit import FieldRule, Http, Ports, SourceMalformed, Stream
from adapters.kit.recording import HOST, Exchange, Recording, Replayer, record, replay, run
from adapters.kit.scrub import Scrubber, columns
from adapters.provincial_exchange import ProvincialExchange
from adapters.real_estate import RealEstate
from schemas.identifiers import is_uscc

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
MAN, WOMAN = "360981198001010012", "36098119800101008X"  # the printed vectors of china-facts §2
OLD = "362202751231003"


def checksum_holds(number: str) -> bool:
    return number[17] == "10X98765432"[sum(int(d) * w for d, w in zip(number[:17], WEIGHTS, strict=True)) % 11]


def scrub(*bodies: str, known: tuple[str, ...] = ()) -> list[str]:
    kinds = {**CivilAffairs.streams, **ProvincialExchange.streams, **RealEstate.streams}
    scrubber = Scrubber(columns(kinds.items()), known)
    seen = [scrubber.body(body) for body in bodies]
    return [scrubber.sweep(body) for body in seen]


def member(**cells: Any) -> str:
    return json.dumps([{"GMSFHM": MAN, "XM": "张三丰", "XB": "1", **cells}], ensure_ascii=False)


def scrubbed_member(**cells: Any) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(scrub(member(**cells))[0])[0]
    return row


@pytest.mark.parametrize("number", [MAN, WOMAN, "362202197512310037", "360982200002290040"])
def test_a_number_keeps_birth_date_sex_and_a_right_checksum(number: str) -> None:
    found = scrubbed_member(GMSFHM=number)["GMSFHM"]
    assert found != number
    assert (found[:6], found[6:14], int(found[16]) % 2) == ("360999", number[6:14], int(number[16]) % 2)
    assert checksum_holds(found)


def test_a_wrong_checksum_stays_wrong() -> None:
    assert not checksum_holds(scrubbed_member(GMSFHM=MAN[:17] + "3")["GMSFHM"])


def test_two_people_of_one_birthday_stay_two() -> None:
    body = json.dumps([{"GMSFHM": f"36099919800101{n:03d}0", "XM": "张三"} for n in range(1, 800, 2)])
    found = [row["GMSFHM"] for row in json.loads(scrub(body)[0])]
    assert len({number[:17] for number in found}) == 400


@pytest.mark.parametrize(
    ("written", "shape"),
    [
        ("３６０９８１１９８００１０１００１２", "３６０９９９１９８００１０１"),
        ("'360981 19800101 0012\t", "'360999 19800101 "),
        (OLD, "360999751231"),
    ],
)
def test_however_a_number_is_written_only_its_digits_change(written: str, shape: str) -> None:
    found = scrubbed_member(GMSFHM=written)["GMSFHM"]
    assert len(found) == len(written)
    assert found.startswith(shape)
    assert found != written


@pytest.mark.parametrize("dirty", ["3609********001X", "3.60981E+17", "36098119800101"])
def test_what_is_no_number_is_changed_too(dirty: str) -> None:
    assert scrubbed_member(GMSFHM=dirty)["GMSFHM"] != dirty


def test_the_same_person_is_the_same_in_every_answer_and_form() -> None:
    as_json, as_xml = scrub(
        member(HZSFZH=MAN, HZXM="张三丰"),
        f"<r><record><QLRMC>张三丰,李四</QLRMC><ZJH>{MAN},{WOMAN}</ZJH></record></r>",
    )
    row = json.loads(as_json)[0]
    assert row["GMSFHM"] == row["HZSFZH"]
    assert row["XM"] == row["HZXM"]
    assert f"<QLRMC>{row['XM']}," in as_xml
    assert f"<ZJH>{row['GMSFHM']}," in as_xml


PRIVATE = [
    MAN, WOMAN, "张三丰", "李四", "欧阳锋", "13912345678", "6217001234567890123", "江西省丰城市秀市镇某村12号",
    "0012345", "999888", "tok-abcdef", "sig-abcdef", "known-secret", "汉族",
]  # fmt: skip
ROW = {
    "GMSFHM": MAN, "XM": "张三丰(户主)", "HJDXZ": "江西省丰城市秀市镇某村12号", "HH": "999888777", "MZ": "汉族", "LXDH": "13912345678",
    "GXSJ": "2026-01-01 00:00:00", "XB": "1",
}  # fmt: skip
XML_ROW = (
    f"<record><BDCQZH>赣(2020)丰城市不动产权第0012345号</BDCQZH><QLRMC>张三丰,李四</QLRMC><ZJH>{MAN},{WOMAN}</ZJH>"
    "<ZL>江西省丰城市秀市镇某村12号</ZL><TEL>13912345678</TEL><QLLX>5</QLLX></record>"
)
INNER = f'<?xml version="1.0" encoding="GBK"?><RESPONSE>{XML_ROW}</RESPONSE>'
BODIES = [
    json.dumps({"code": "0", "data": {"total": "1", "rows": [ROW]}}, ensure_ascii=False),
    json.dumps({"code": "0", "data": json.dumps({"rows": [ROW]}, ensure_ascii=False)}, ensure_ascii=False),
    json.dumps([{"XM": "欧阳锋", "SFZH": WOMAN, "YHZH": "6217001234567890123", "SFJE": 12.5, "QHDM": 360981}], ensure_ascii=False),
    json.dumps({"code": "9", "msg": f"{MAN} 张三丰 电话13912345678 卡号6217001234567890123 不存在"}, ensure_ascii=False),
    json.dumps({"data": {"token": "tok-abcdef", "expires_in": 7200}, "gjgxjhpt_sign": "sig-abcdef", "x": "known-secret"}),
    f'<?xml version="1.0" encoding="UTF-8"?><r><msg>张三丰</msg>{XML_ROW}</r>',
    f"<r><return>{escape(INNER)}</return></r>",
    f'<r><QL QLRMC="李四" ZJH="{WOMAN}" QLLX="5"/></r>',
    f"查无此人：{MAN}（李四）known-secret",
]  # fmt: skip


def test_nothing_private_is_left_in_any_form() -> None:
    said = "\n".join(scrub(*BODIES, known=("known-secret",)))
    assert [value for value in PRIVATE if value in said] == []


def test_what_is_not_private_stays() -> None:
    row = json.loads(scrub(BODIES[0])[0])["data"]["rows"][0]
    assert (row["GXSJ"], row["XB"], row["LXDH"], row["MZ"]) == ("2026-01-01 00:00:00", "1", "", "")
    assert row["XM"].endswith("(户主)")
    certificate = scrub(BODIES[5])[0]
    assert "赣(2020)丰城市不动产权第" in certificate
    assert "<QLLX>5</QLLX>" in certificate
    assert json.loads(scrub(BODIES[2])[0])[0] | {"XM": "", "SFZH": "", "YHZH": ""} == {
        "XM": "", "SFZH": "", "YHZH": "", "SFJE": 12.5, "QHDM": 360981,
    }  # fmt: skip


LAND = {
    "contract_code": "CBHTBM",
    "contractor_code": "CBFBM",
    "contractor_type": "CBFLX",
    "contractor_name": "CBFMC",
    "plots.code": FieldRule(from_="DKBM", each="CBDKXX"),
    "plots.area_m2": FieldRule(from_="HTMJ", each="CBDKXX"),
    "members.name": FieldRule(from_="CYXM", each="CBF_JTCY"),
    "members.id_no": FieldRule(from_="CYZJHM", each="CBF_JTCY"),
}
ENTITIES = {"credit_code": "XYDM", "entity_type": "ZTLX", "name": "ZTMC", "status": "ZT", "operator_id_no": "SFZH"}
CONTRACT = {
    "CBHTBM": "360981102203010001J", "CBFBM": "360981102203010001", "CBFLX": "1", "CBFMC": "张三丰", "CBFDZ": "某村12号",
    "CBDKXX": [{"DKBM": "3609811022030100001", "HTMJ": "1200.00", "DKDZ": "李四田"}],
    "CBF_JTCY": [{"CYXM": "张三丰", "CYZJHM": MAN, "CYBZ": "5"}, {"CYXM": "李四", "CYZJHM": WOMAN, "CYBZ": "6"}],
}  # fmt: skip


@pytest.mark.parametrize("as_text", [False, True])
def test_rows_inside_a_row_are_scrubbed_as_rows(as_text: bool) -> None:
    streams = {"contracted_land": Stream(mapping=LAND)}.items()
    sent = {k: json.dumps(v, ensure_ascii=False) if as_text and isinstance(v, list) else v for k, v in CONTRACT.items()}
    row = json.loads(Scrubber(columns(streams)).body(json.dumps({"datas": [sent]}, ensure_ascii=False)))["datas"][0]
    plots, members = (json.loads(row[c]) if as_text else row[c] for c in ("CBDKXX", "CBF_JTCY"))
    said = json.dumps([row, plots, members], ensure_ascii=False)
    assert [v for v in (MAN, WOMAN, "张三丰", "李四", "某村", "102203010001", "1022030100001") if v in said] == []
    assert (plots[0]["HTMJ"], plots[0]["DKDZ"], members[0]["CYBZ"]) == ("1200.00", "", "")
    assert members[0]["CYXM"] == row["CBFMC"]
    assert checksum_holds(members[1]["CYZJHM"])
    assert row["CBHTBM"] == f"{row['CBFBM']}J"
    assert re.fullmatch(r"360981\d{13}", plots[0]["DKBM"])


def test_a_credit_code_stays_one_and_another_number_in_its_place_goes() -> None:
    scrubber = Scrubber(columns({"agri_entity": Stream(mapping=ENTITIES)}.items()))
    codes = ["92360981MA0TEXT125", "93360981ma0text20w", "92360981MA0TEXT125", MAN, "110108000000016"]
    rows = [{"XYDM": code, "ZTLX": "家庭农场", "ZTMC": "甲", "SFZH": MAN} for code in codes]
    found = [row["XYDM"] for row in json.loads(scrubber.body(json.dumps(rows)))]
    assert found[0] == found[2]
    assert found[0][:8] == "92360999"
    assert found[1][:8] == "93360999"
    assert is_uscc(found[0])
    assert is_uscc(found[1])
    assert not set(found) & set(codes)


def test_a_body_that_is_broken_is_scrubbed_as_text() -> None:
    for body in ('{"x": "' + MAN, f"<r>{MAN}"):
        assert MAN not in scrub(body)[0]


ACT = {
    "op_type": "IA", "op_date": "2020-01-02", "cert_no": "J360981-2020-000123", "dept_code": "1", "dept_name": "民政局",
    "name_man": "张三丰", "cert_num_man": MAN, "birth_man": "1980-01-01", "nation_man": "156",
    "name_woman": "李四", "cert_num_woman": WOMAN, "birth_woman": "1980-01-01", "nation_woman": "156",
    "update_time": "2026-02-01 08:00:00",
}  # fmt: skip


@pytest.fixture
def recorded(http: Http, server: Any, build_ports: Callable[..., Ports]) -> Recording:
    def answer(call: Any) -> Any:
        if call.path == "/auth/token":
            body: Any = {"code": 200, "data": {"token": "tok-abcdef", "expires_in": 7200}}
        elif "marriage" in call.path:
            first = "offset=0" in call.path
            body = {
                "code": 200,
                "data": {
                    "total": 1 if "since" in call.path else 2,
                    "list": [{**ACT, "op_type": "IA" if first else "IB"}],
                },
            }
        else:
            body = {"state": 200, "data": [], "totalItems": 0}
        return 200, {"Content-Type": "application/json"}, json.dumps(body, ensure_ascii=False).encode()

    server.answer = answer
    secrets = {"app_id": "the-app-id", "app_secret": "the-app-secret"}
    settings = CivilAffairs.Settings.model_validate({"base_url": server.url, "page_size": 1})
    return record(CivilAffairs, build_ports(http, secrets), settings, "360981", secrets=secrets)


@pytest.mark.sockets
def test_a_recording_replays_without_its_source(recorded: Recording, server: Any, tmp_path: Path) -> None:
    recorded.save(tmp_path / "civil.json")
    asked = len(server.calls)
    civil = replay(Recording.load(tmp_path / "civil.json"), CivilAffairs)
    pages, cursor = run(civil, "marriage", None, 9)
    assert [row["op_type"] for page in pages for row in page.rows.decode()] == ["IA", "IB"]
    assert cursor == {"rest": True, "since": "2026-02-01T08:00:00"}
    assert run(civil, "marriage", cursor, 9)[0][0].declared == 1
    assert len(server.calls) == asked


@pytest.mark.sockets
def test_a_recording_names_neither_the_source_nor_its_secrets(recorded: Recording, server: Any, tmp_path: Path) -> None:
    recorded.save(tmp_path / "civil.json")
    said = (tmp_path / "civil.json").read_text("utf-8")
    assert recorded.settings["base_url"] == HOST
    forbidden = [server.url, "the-app", "tok-abcdef", "auth/token", MAN, WOMAN, "张三丰", "李四", "000123"]
    assert [value for value in forbidden if value in said] == []
    assert recorded.complete == {"marriage": True, "assistance": True}


@pytest.mark.sockets
def test_what_was_not_recorded_is_not_invented(recorded: Recording) -> None:
    with pytest.raises(SourceMalformed) as caught:
        replay(recorded, CivilAffairs).fetch("marriage", {"at": {"o": 77, "k": 1}})
    assert caught.value.code == "HTTP_4XX"


@pytest.mark.sockets
def test_a_run_that_was_cut_is_marked(http: Http, server: Any, build_ports: Callable[..., Ports]) -> None:
    server.answer = lambda call: (
        200,
        {},
        json.dumps({"code": 200, "data": {"token": "t", "expires_in": 9, "total": 99, "list": [ACT]}}).encode(),
    )

    class OnlyMarriages(CivilAffairs):
        streams = {"marriage": CivilAffairs.streams["marriage"]}  # noqa: RUF012 # a ClassVar of the base

    secrets = {"app_id": "the-app-id", "app_secret": "the-app-secret"}
    settings = CivilAffairs.Settings.model_validate({"base_url": server.url, "page_size": 1})
    recorded = record(OnlyMarriages, build_ports(http, secrets), settings, "360981", pages=1)
    assert recorded.complete == {"marriage": False}
    assert len(recorded.exchanges) >= 1


def test_answers_come_in_the_order_recorded_and_the_last_one_stays() -> None:
    exchanges = [Exchange("GET", "/x?token=scrubbed", {}, "", 200, "", body) for body in ("1", "2")]
    empty = Recording("a", "1", {}, None, None, {}, exchanges)  # type: ignore[arg-type] # only the exchanges matter
    client = httpx.Client(transport=Replayer(empty))
    assert [client.get(f"{HOST}/x?token=another").text for _ in range(3)] == ["1", "2", "2"]
    assert client.get(f"{HOST}/y").status_code == 404


def test_the_three_recordings_hold_only_people_of_the_area_that_never_was() -> None:
    """The mocks' people live in 360999 as well; what is proven here is that no other number slipped into the files."""
    for path in (Path(__file__).parent / "recordings").glob("*.json"):
        numbers = re.findall(
            r"(?<!\d)[1-6]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX](?!\d)",
            path.read_text("utf-8"),
        )
        assert [number for number in numbers if not number.startswith("360999")] == []
