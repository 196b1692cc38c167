"""Faults in a source that a county's file describes in full: each is told with its place and what is allowed there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.audit import Actor
from gateway.config import read
from gateway.settings import Settings
from tests.promises.test_config_errors import FENGCHENG, JINGAN, Drafts
from tests.support.house import FEEDS, ROOT
from tests.support.verbs import shuqiao

COUNTY = """\
county: {code: "360925", name: 靖安县, bureau: 靖安县数据局}
sources:
  land:
    adapter: rest
    account: fengcheng-agriculture
    base_url: "http://127.0.0.1:18604"
    auth: {profile: zj, base_url: "http://127.0.0.1:18604"}
    datasets:
      contracted_land:
        path: "/gateway/api/{county}/cbht"
        envelope: {rows: datas, total: totalDataCount, success: {code: ["00"]}}
        paging: {kind: offset, start: STARTNUM, size: PAGENUM, limit: 200}
        since: {param: gxsj, format: "%Y%m%d"}
        source_time: GXSJ
        mapping:
          contract_code: CBHTBM
          contractor_name: CBFMC
          contractor_type: {const: "1"}
          plots.code: {from: DKBM, each: CBDKXX}
          members.name: {from: CYXM, each: CBF_JTCY}
          area_m2: {from: HTZMJ, unit: 亩}
  front:
    adapter: table
    account: fengcheng-agriculture
    url: "sqlite:////srv/front.db"
    datasets:
      payment: {table: T_BTFF, overlap: 5m, mapping: {detail_id: A, year: B, item_name: C, status: D, payee_name: E, payee_id_no: F, amount_paid: G}}
  drop:
    adapter: files
    account: fengcheng-agriculture
    directory: /srv/drop
    datasets:
      payment: {pattern: "{county}_{date}.csv", mapping: {detail_id: A, year: B, item_name: C, status: D, payee_name: E, payee_id_no: F, amount_paid: G}}
  desk:
    adapter: soap
    account: fengcheng-agriculture
    wsdl: wsdl/desk.wsdl
    endpoint: "http://127.0.0.1:18602/desk"
    session: {operation: Login, params: {key: "{secret.app_key}"}, token: LoginResponse/token}
    headers: {"{urn:desk}Session": {token: "{session}"}}
    datasets:
      payment:
        operation: Query
        row: DATA/RECORD
        params: {region: {"@level": "3", qxdm: ["{county}"]}}
        xml_in_xml: {result: return}
        mapping: {detail_id: A, year: B, item_name: C, status: D, payee_name: E, payee_id_no: F, amount_paid: G}
feeds:
  contracted_land: {source: land, dataset: contracted_land, poll: 1h}
  front: {source: front, dataset: payment, poll: 1h}
  drop: {source: drop, dataset: payment, poll: 1h}
  desk: {source: desk, dataset: payment, poll: 1h}
"""
PYTHON = "声明写不出来的，请写适配器，见 docs/adding-an-agency.md"


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config" / JINGAN).write_text(COUNTY, "utf-8")
    return Drafts(Settings(config=tmp_path / "config", data=tmp_path / "data"))


def test_it_has_no_fault_as_it_is(drafts: Drafts) -> None:
    assert drafts.problems() == []
    assert set(read(drafts.root).feeds) >= {"360925/contracted_land", "360925/front", "360925/drop", "360925/desk"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{profile: zj,", "{profile: zjj,", "“zjj”不在可用值内。是不是 zj？可用的有：none、bearer、api_key、login"),
        ("auth: {profile: zj, ", "auth: {", "缺少这个键。可用的有：none、bearer、api_key"),
        ("profile: zj,", "profile: zj, plcae: query,", f"没有这个键。是不是 place？可用的有：profile、base_url、place。{PYTHON}"),
        ("kind: offset", "kind: ofset", "“ofset”不在可用值内。是不是 offset？可用的有：page_number、offset、day_slice"),
        ("kind: offset, ", "", "缺少这个键。可用的有：page_number、offset、day_slice、after_key、next_token、single"),
        ("start: STARTNUM", "strat: STARTNUM", f"没有这个键。是不是 start？可用的有：start、size、limit、first、kind。{PYTHON}"),
        ("limit: 200", "limit: 0", "0 不合规：应不小于 1"),
        ("paging: {kind: offset, start: STARTNUM, size: PAGENUM, limit: 200}", "paging: 7", "这里应有下级的键"),
        ("total: totalDataCount", "totl: totalDataCount", "没有这个键。是不是 total？可用的有：rows、total、success"),
        ('envelope: {rows: datas, total: totalDataCount, success: {code: ["00"]}}', "envelope: datas", "这里应有下级的键"),
        ('["00"]', "[00]", "0 不合规：应为文本，请加引号"),
        ("source_time: GXSJ", "source_tme: GXSJ", "没有这个键。是不是 source_time？可用的有：mapping、source_time、"),
        ("source_time: GXSJ", "snapshot: false", "写了 since（按更新时间增量读），还要写 source_time"),
        ("source_time: GXSJ", "source_time: GXSJ\n        snapshot: true", "一个接口要么按更新时间增量读（since）"),
        ('"%Y%m%d"', '"yyyyMMdd"', "时间格式“yyyyMMdd”里没有 %"),
        ("{county}/cbht", "{xian}/cbht", "花括号里不能写 xian。可用的有：county、today、month"),
        ("{county}/cbht", "{county/cbht", "花括号没有成对"),
        ("path:", "method: PUT\n        path:", "“PUT”不在可用值内。可用的有：GET、POST"),
        ("path:", "body_params: {a: b}\n        path:", "GET 没有正文：参数写进 params，或写 method: POST"),
        ("{county}_{date}.csv", "{county}_{day}.csv", "文件名格式里没有 day 这个占位"),
        ("table: T_BTFF", 'where: {RQ: "{today}"}, table: T_BTFF', "花括号里不能写 today。可用的有：county"),
        ("path:", "5: x\n        path:", "键应为文本，请加引号"),
        ("path:", "body: xml\n        path:", "“xml”不在可用值内。可用的有：json、form"),
        ("contracted_land:\n", "contracted_lnd:\n", "没有数据资源 contracted_lnd。可用的有：household_member"),
        ("contractor_name: CBFMC", "contractor_nme: CBFMC", "承包地没有这个字段。可用的有：contract_code"),
        ("{from: HTZMJ, unit: 亩}", "{form: HTZMJ, unit: 亩}", "没有这个键。是不是 from？可用的有：from、unit、codes"),
        ("{from: HTZMJ, unit: 亩}", "{from: HTZMJ, unit: 斤}", "单位“斤”不可用。可用的有：m²、亩"),
        ("{from: HTZMJ, unit: 亩}", "[HTZMJ]", "这里应为一个值"),
        ("{from: HTZMJ, unit: 亩}", "{from: HTZMJ, join: [A, B]}", "请写 from（来源列）、join（几列相连）或 const（常量）之一"),
        ("contract_code: CBHTBM\n", "\n", "必填字段“"),
        ("overlap: 5m", "overlap: 5分钟", "请写时长，如 30s、5m、2h、1d"),
        ("table: T_BTFF", "tabel: T_BTFF", "没有这个键。是不是 table？可用的有：mapping、source_time、"),
        ("pattern:", "patern:", "没有这个键。是不是 pattern？可用的有：mapping、"),
        ("source: land, dataset: contracted_land", "source: land, dataset: payment", "数据源 land 不提供 payment。可用的有：contracted_land"),
        ("feeds:\n", "feeds:\n  x: {source: land, dataset: contracted_land, poll: 1h, mapping: {nme: X}}\n", "承包地没有这个字段"),
        ("feeds:\n", "feeds:\n  x: {source: land, dataset: contracted_land, poll: 1h, deleted: {from: SCBZ}}\n", "缺少这个键"),
        ('"sqlite:////srv/front.db"', '"postgresql+psycopg://r@127.0.0.1/f"', "账号 fengcheng-agriculture 缺少密钥 password，请在"),
        ("directory: /srv/drop", 'directory: "sftp://r@127.0.0.1/f"', "账号 fengcheng-agriculture 缺少密钥 password，请在"),
        ("wsdl: wsdl/desk.wsdl", "wsdl: ../desk.wsdl", "请写 http(s):// 开头的地址，或配置目录里的文件，如 wsdl/police.wsdl"),
        ("operation: Query", "opertion: Query", "没有这个键。是不是 operation？可用的有：mapping、source_time、"),
        ("{result: return}", "{reslt: return}", "没有这个键。是不是 result？可用的有：result、request、root、encoding、beside"),
        ('qxdm: ["{county}"]', 'qxdm: ["{xian}"]', "花括号里不能写 xian。可用的有：county、today、month、session、secret.…"),
        ('qxdm: ["{county}"]', "qxdm: [360981]", "qxdm.0 请写成文字，数字要加引号"),
        ('{"{urn:desk}Session"', '{"Session"', "报文头的元素 Session 要写明命名空间：花括号里是命名空间，后面是名字"),
        ("token: LoginResponse/token", "tokn: LoginResponse/token", "没有这个键。是不是 token？可用的有：operation、token、params"),
        ("{secret.app_key}", "{secret.appkey}", "账号 fengcheng-agriculture 缺少密钥 appkey，请在"),
        ('{profile: zj, base_url: "http://127.0.0.1:18604"}', "{profile: tif}", "账号 fengcheng-agriculture 缺少密钥 paasid"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_what_is_allowed(drafts: Drafts, old: str, new: str, sentence: str) -> None:
    drafts.edit(JINGAN, old, new)
    told = drafts.problems()
    assert {file for file, *_ in told} == {JINGAN}
    assert [p for p in told if p[3].startswith(sentence)], told
    assert not any(re.search(r"[a-z]+ [a-z]+ [a-z]+", p[3].replace(PYTHON, "")) for p in told), "English from a library"


@pytest.mark.parametrize("new", ["{form: HTZMJ}", "[HTZMJ]", "7"])
def test_a_value_that_may_have_several_shapes_is_one_fault(drafts: Drafts, new: str) -> None:
    line, _ = drafts.edit(JINGAN, "{from: HTZMJ, unit: 亩}", new)
    assert [at for _, at, *_ in drafts.problems()] == [line]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('base_url: "http://127.0.0.1:18604"\n', 'base_url: "http://u:hunter2@127.0.0.1:18604/"\n'),
        ('zj, base_url: "http://', 'zj, base_url: "http://u:hunter2@'),
        ('"sqlite:////srv/front.db"', '"postgresql+psycopg://u:hunter2@127.0.0.1/f"'),
        ("directory: /srv/drop", 'directory: "sftp://u:hunter2@127.0.0.1/f"'),
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(drafts: Drafts, old: str, new: str) -> None:
    line, _ = drafts.edit(JINGAN, old, new)
    done = shuqiao(drafts.settings, "config", "check")
    assert done.exit_code == 2
    (told,) = done.stderr.splitlines()
    assert f"{JINGAN}:{line}:" in told
    assert "密码不要写在地址里，请放进账号的 secrets" in told
    assert "hunter2" not in done.stderr


def test_faults_of_one_stanza_are_all_named(drafts: Drafts) -> None:
    """Whatever kind they are of: one reading is enough to mend them all."""
    places = [
        drafts.edit(JINGAN, "profile: zj", "profile: zjj"),
        drafts.edit(JINGAN, "kind: offset", "kind: ofset"),
        drafts.edit(JINGAN, "total: totalDataCount", "totl: totalDataCount"),
        drafts.edit(JINGAN, "contractor_name: CBFMC", "contractor_nme: CBFMC"),
        drafts.edit(JINGAN, "unit: 亩", "unit: 斤"),
        drafts.edit(JINGAN, "table: T_BTFF", "tabel: T_BTFF"),
    ]
    told = drafts.problems()
    assert sorted(line for _, line, _, _ in told) == sorted(line for line, _ in places)
    assert len({sentence for *_, sentence in told}) == len(places)


def test_a_broken_description_stops_no_other_county(drafts: Drafts) -> None:
    assert shuqiao(drafts.settings, "config", "publish").exit_code == 0
    drafts.edit(JINGAN, "kind: offset", "kind: ofset")
    drafts.edit(FENGCHENG, "poll: 5m", "poll: 7m")
    assert shuqiao(drafts.settings, "config", "publish").exit_code == 2
    gateway = Gateway(drafts.settings)
    try:
        assert set(gateway.config.feeds) >= {*FEEDS.values(), "360925/contracted_land", "360925/front"}
        assert gateway.config.feeds["360981/homestead"].model.poll is not None
        assert gateway.config.feeds["360981/homestead"].model.poll.total_seconds() == 420
        assert gateway.config.problems == []
    finally:
        gateway.close()


def test_rules_of_a_description_name_its_versions(drafts: Drafts) -> None:
    """What a row becomes may change with any of them, so no row is taken for known under other rules."""

    def rules() -> str:
        gateway = Gateway(drafts.settings)
        try:
            gateway.publish(Actor.system())
            work = gateway.prepare("360925/contracted_land")
            work.adapter.close()
            return work.translator.version
        finally:
            gateway.close()

    seen = [rules()]
    drafts.edit(JINGAN, "contractor_name: CBFMC", "contractor_name: MC")
    seen.append(rules())
    drafts.edit(JINGAN, "source_time: GXSJ", "source_time: GXSJ\n        deleted: {from: SCBZ, equals: ['1']}")
    seen.append(rules())
    drafts.edit(JINGAN, "source_time: GXSJ", "source_time: GXSJ\n        ignore: {OLD: {from: ZT, equals: ['9']}}")
    seen.append(rules())
    drafts.edit(
        JINGAN, "dataset: contracted_land, poll", "dataset: contracted_land, deleted: {from: CZLX, equals: [D]}, poll"
    )
    seen.append(rules())
    drafts.edit(JINGAN, "limit: 200", "limit: 100")
    assert len(set(seen)) == len(seen)
    assert rules() == seen[-1], "paging makes no other record"
