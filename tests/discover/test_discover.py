"""From a Word document and a pasted answer to a stanza that the configuration accepts; hostile files are refused in a sentence."""

from __future__ import annotations

import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import read
from gateway.discover import FILL, Proposal, propose, write
from gateway.discover.office import INFLATED_MB
from gateway.errors import Usage
from schemas.identifiers import id_checksum_holds
from tests.discover.vendors import LAND, PAID, Vendor, docx, xlsx
from tests.support.house import ROOT

BODY = "36099919600101001"
NUMBER = next(BODY + check for check in "0123456789X" if id_checksum_holds(BODY + check))
INTRO = "接口地址：http://10.1.2.3:8080/ykt/list\n请求方式：POST\n请求头带 Authorization: Bearer 令牌"
REQUEST = [["参数名", "说明"], ["pageNum", "页码"], ["pageSize", "每页条数"]]
ROW = {
    "MXID": "M1", "PCH": "P1", "ND": "2026", "XMBM": "01", "XMMC": "稻谷补贴", "ZGBM": "农业农村局", "ZJWH": "某财农〔2026〕1号",
    "FFZT": "1", "FFRQ": "2026-02-01", "SBYY": "", "LQRXM": "王某", "LQRSFZH": NUMBER, "YFJE": "12.00", "SFJE": "12.00",
    "YHKH": "6217000000000000", "SJHM": "13900000000",
}  # fmt: skip
ANSWER = msgspec.json.encode({"code": "0", "msg": "成功", "data": {"total": 1, "list": [ROW]}})
DOCUMENT = Vendor("payments", "docx", "payment", ("字段名", "中文名", "类型", "说明"), PAID)


def written() -> bytes:
    return docx(INTRO, DOCUMENT.grid(), REQUEST)


def lines(proposal: Proposal) -> dict[str, Any]:
    return {line.path: line for line in proposal.lines}


def test_document_and_answer_make_one_stanza() -> None:
    stanza = write(propose([written(), ANSWER]))
    source = YAML().load(stanza)["sources"]["payment"]
    stream = source["datasets"]["payment"]
    assert (source["adapter"], source["base_url"], source["auth"]) == (
        "rest",
        "http://10.1.2.3:8080",
        {"profile": "bearer"},
    )
    assert (stream["path"], stream["method"]) == ("/ykt/list", "POST")
    assert stream["envelope"] == {
        "rows": "data.list", "total": "data.total", "success": {"code": ["0"]}, "message": "msg"
    }  # fmt: skip
    assert stream["paging"] == {"kind": "page_number", "page": "pageNum", "size": "pageSize", "limit": 100}
    assert stream["mapping"]["status"] == {"from": "FFZT", "codes": {"1": "paid", "2": "failed"}}
    assert NUMBER not in stanza
    assert "王某" not in stanza


def test_the_stanza_passes_once_what_is_marked_is_filled(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    for other in (tmp_path / "config/counties").iterdir():
        other.unlink()
    county = 'county: {code: "360902", name: 袁州区, bureau: 袁州区数据局}\n'
    path = tmp_path / "config/counties/360902-yuanzhou.yaml"
    stanza = write(propose([written(), ANSWER]))
    path.write_text(county + stanza, "utf-8")
    assert read(tmp_path / "config").problems, "what is to be filled does not pass"
    accounts = tmp_path / "config/accounts.yaml"
    held = YAML().load(accounts.read_text("utf-8"))
    held["accounts"]["finance"] = {"title": "袁州区财政局", "secrets": {"token": {"env": "NO_SUCH_TOKEN"}}}
    with accounts.open("w", encoding="utf-8") as file:
        YAML().dump(held, file)
    path.write_text(county + stanza.replace(f"account: {FILL}", "account: finance"), "utf-8")
    found = read(tmp_path / "config")
    assert [p for p in found.problems if "NO_SUCH_TOKEN" not in str(p)] == []


def test_values_speak_against_a_title() -> None:
    good = lines(propose([written(), ANSWER]))["payee_id_no"]
    bad = msgspec.json.encode([{**ROW, "LQRSFZH": "13900000000"}])
    against = lines(propose([written(), bad]))["payee_id_no"]
    assert (good.sure, against.sure) == (True, False)
    assert against.why


def test_a_list_in_the_row_feeds_the_parts() -> None:
    plots = [{"DKBM": "3609990000000000001", "DKMC": "门前田", "TDYT": "1"}]
    nested = msgspec.json.encode({"datas": [{"CBHTBM": "360999000000000001J", "CBDKXX": plots}]})
    document = Vendor("", "docx", "", ("字段名", "中文名", "类型", "说明"), LAND).body()
    told = lines(propose([document, nested]))
    assert (told["plots.code"].each, told["plots.code"].column) == ("CBDKXX", "DKBM")


@pytest.mark.parametrize(
    "text",
    [
        msgspec.json.encode({"code": "0", "data": msgspec.json.encode({"list": [ROW, ROW]}).decode()}),
        b"<R><Result>" + b"&lt;rows&gt;&lt;row&gt;&lt;LQRSFZH&gt;%s&lt;/LQRSFZH&gt;&lt;/row&gt;&lt;/rows&gt;" % NUMBER.encode() + b"</Result></R>",
    ],
    ids=["JSON in a text", "XML in XML"],
)  # fmt: skip
def test_an_answer_inside_an_answer_is_opened(text: bytes) -> None:
    assert "LQRSFZH" in {c.name for c in propose([text], "payment").found.columns}


def test_a_plain_header_makes_a_drop_of_files() -> None:
    body = xlsx("发放表", [["明细编号", "姓名", "身份证号", "实发金额（元）"], ["1", "王某", NUMBER, "1.00"]])
    proposal = propose([body], "payment")
    assert YAML().load(write(proposal))["sources"]["payment"]["adapter"] == "files"
    assert lines(proposal)["payee_id_no"].sure
    assert "item_name" in proposal.missing


def bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("word/document.xml", b" " * ((INFLATED_MB << 20) + 1))
    return out.getvalue()


@pytest.mark.parametrize("body", [bomb(), b"PKword/document.xml", b"%PDF-1.7 no more", b"hello", b"{}"])
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(Usage):
        propose([body])


def test_an_entity_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("geheim", "ascii")
    text = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]><r><row><XM>&x;</XM></row><row><XM>b</XM></row></r>'
    assert "geheim" not in repr(propose([text.encode()], "payment").found)


def test_the_verb(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(written())
    (tmp_path / "b.json").write_bytes(ANSWER)
    command = ["--config", str(ROOT / "config"), "--data", str(tmp_path / "data"), "discover"]
    done = CliRunner().invoke(app, [*command, str(tmp_path / "a.docx"), str(tmp_path / "b.json"), "--json"])
    told = msgspec.json.decode(done.stdout)
    assert (told["dataset"], told["missing"]) == ("payment", [])
    assert NUMBER not in done.stdout
