"""The vendors' interfaces: walked by a caller who knows only the table of README, and held against the truth of their rows."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator

import httpx
import pytest

import mock_agencies
from mock_agencies import Mocks
from mock_agencies.counties import COUNTIES, PILOT
from mock_agencies.items import Item
from mock_agencies.systems import REGISTERS, SWAPPED, SYSTEMS, wordings
from mock_agencies.wording import Wording


@pytest.fixture(scope="module")
def mocks() -> Iterator[Mocks]:
    with mock_agencies.start(households=20, others=30, seed=4, dirt=0.2) as running:
        yield running


@pytest.fixture
def caller() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


def source(mocks: Mocks, name: str, path: str) -> str:
    return mocks.sources[name] + path


def token(caller: httpx.Client, mocks: Mocks) -> dict[str, str]:
    keys = SYSTEMS["360921", "civil"].keys
    asked = {"appId": keys["app_id"], "appSecret": keys["app_secret"]}
    answer = caller.post(mocks.sources["360921/civil_login"], json=asked).json()
    return {"token": answer["data"]["token"]}


def test_every_countys_systems_are_told_apart_from_the_pilots(mocks: Mocks) -> None:
    assert {name.partition("/")[0] for name in mocks.sources} == set(COUNTIES) - {PILOT}
    assert {name for name in mocks.sources if name.startswith("360983/")} == {
        *("360983/exchange", "360983/land", "360983/civil", "360983/agriculture", "360983/finance"),
        "360983/manual",
    }
    with mock_agencies.start(households=10) as alone:
        assert alone.sources == {}
        assert alone.advance(1).keys() == alone.advance_all(1)[PILOT].keys()


def test_rows_counted_from_one_in_an_envelope_whose_refusal_is_its_data(mocks: Mocks, caller: httpx.Client) -> None:
    url = source(mocks, "360921/civil", "/hy/list")
    assert caller.get(url).json() == {"type": "fail", "data": "token失效"}
    headers, rows, start = token(caller, mocks), [], 1
    while True:
        answer = caller.get(url, params={"STARTNUM": start, "PAGENUM": 20}, headers=headers).json()
        assert answer["type"] == "success"
        rows += answer["data"]["fwxx"]
        start += len(answer["data"]["fwxx"])
        if start > answer["data"]["total"]:
            break
    served = mocks.served["360921"].items("marriage")
    assert [row["certNo"] for row in rows] == [item.raw["certNo"] for item in served]
    assert {"结婚登记", "补发结婚证"} <= {row["businessType"] for row in rows}


def test_an_address_that_is_not_on_the_list(
    mocks: Mocks, caller: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = SYSTEMS["360921", "civil"]
    closed = {
        **SYSTEMS,
        ("360921", "civil"): system.__class__(system.door, system.keys, system.interfaces, ("10.0.0.1",)),
    }
    monkeypatch.setattr(mocks.vendors, "_systems", closed)
    answer = caller.get(source(mocks, "360921/civil", "/hy/list")).json()
    assert answer == {"type": "fail", "data": "请求IP[127.0.0.1]不在白名单中"}


def test_pages_that_count_as_total(mocks: Mocks, caller: httpx.Client) -> None:
    keys = SYSTEMS["360923", "civil"].keys
    auth = (keys["username"], keys["password"])
    answer = caller.get(source(mocks, "360923/civil", "/hyxx"), params={"pageNo": 1, "pageSize": 10}, auth=auth).json()
    total = len(mocks.served["360923"].items("marriage"))
    assert (len(answer["data"]), answer["total"], answer["isSuccessful"]) == (10, -(-total // 10), "true")


def test_pages_by_the_token_of_the_page_before(mocks: Mocks, caller: httpx.Client) -> None:
    headers, url = (
        {"X-Api-Key": SYSTEMS["360922", "civil"].keys["api_key"]},
        source(mocks, "360922/civil", "/v2/marriages"),
    )
    seen, given = [], ""
    for _ in range(50):
        answer = caller.get(url, params={"pageSize": 10, "pageToken": given}, headers=headers).json()
        seen += [row["certNo"] for row in answer["rows"]]
        given = answer["next"]
        if not given:
            break
    assert seen == [item.raw["certNo"] for item in mocks.served["360922"].items("marriage")]
    assert caller.get(url, params={"pageSize": 10, "pageToken": "?"}, headers=headers).json()["retcode"] == "400"


def test_the_rows_after_the_last_one(mocks: Mocks, caller: httpx.Client) -> None:
    headers = {"X-Api-Key": SYSTEMS["360982", "finance"].keys["api_key"]}
    url, seen, last, left = source(mocks, "360982/finance", "/card/changes"), [], "", []
    while True:
        answer = caller.get(url, params={"lastId": last, "limit": 20}, headers=headers).json()["data"]
        if not answer["list"]:
            break
        seen += answer["list"]
        left.append(answer["total"])
        last = answer["list"][-1]["id"]
    count = len(mocks.served["360982"].items("payment"))
    assert left == list(range(count, 0, -20)), "its total is of what is left"
    assert len(seen) == count
    assert [row["id"] for row in seen] == sorted(row["id"] for row in seen)


def test_a_day_without_rows_is_said_in_words(mocks: Mocks, caller: httpx.Client) -> None:
    keys = SYSTEMS["360902", "finance"].keys
    now = str(int(time.time() * 1000))
    signature = hashlib.sha1((keys["app_key"] + keys["app_secret"] + now).encode()).hexdigest()
    headers = {"appKey": keys["app_key"], "signature": signature, "timestamp": now}
    url = source(mocks, "360902/finance", "/ykt/detail")
    assert caller.get(url, params={"date": "20260303"}, headers=headers).json()["msg"] == "未查询到数据"
    answer = caller.get(url, params={"date": "20260110"}, headers=headers).json()
    assert answer["count"] == len(answer["result"]) == len(mocks.served["360902"].submitted("2026-01-10"))


def test_what_says_gbk_is_gb18030(mocks: Mocks, caller: httpx.Client) -> None:
    keys = SYSTEMS["360982", "agriculture"].keys
    auth = (keys["username"], keys["password"])
    answer = caller.get(source(mocks, "360982/agriculture", "/jyzt"), params={"pageNo": 1, "pageSize": 99}, auth=auth)
    assert answer.headers["Content-Type"] == "application/json;charset=GBK"
    names = [row["ZTMC"] for row in json.loads(answer.content.decode("gb18030"))["datas"]]
    assert names == [item.raw["ZTMC"] for item in mocks.served["360982"].items("agri_entity")]


@pytest.mark.parametrize("county", sorted(REGISTERS))
def test_registers_in_the_form_each_county_has(mocks: Mocks, caller: httpx.Client, county: str) -> None:
    url = mocks.sources[f"{county}/real_estate"]
    namespace = f"urn:{COUNTIES[county].pinyin}:bdc:1"
    assert f'targetNamespace="{namespace}"' in caller.get(url).text
    register = REGISTERS[county]
    if register.door == "wsse":
        return  # walked by the gateway
    headers = {"SOAPAction": f'"{namespace}/QueryHomesteads"'}
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<QueryHomesteads xmlns="{namespace}"><pageNo>1</pageNo><pageSize>5</pageSize><qxdm>{county}</qxdm>'
        "</QueryHomesteads></e:Body></e:Envelope>"
    )
    refused = caller.post(url.removesuffix("?wsdl"), content=body, headers=headers)
    assert (refused.status_code, "鉴权失败" in refused.text) == (500, True)
    if register.door == "basic":
        pair = base64.b64encode(f"{register.keys['username']}:{register.keys['password']}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    else:
        headers["Authorization"] = f"Bearer {register.keys['token']}"
    answer = caller.post(url.removesuffix("?wsdl"), content=body, headers=headers)
    text = answer.content.decode(register.encoding)
    first = mocks.served[county].items("homestead")[0].raw["BDCDYH"]
    assert (f'BDCDYH="{first}"' if register.attributes else f"<BDCDYH>{first}</BDCDYH>") in text


def test_a_unit_is_rounded_where_it_is_written() -> None:
    wording = Wording(units={"SYQMJ": "亩"})

    def written(raw: str, true: str | None) -> tuple[object, object]:
        item = Item("k", "2026-01-01 00:00:00", {"SYQMJ": raw}, {"land_area_m2": true})
        out = wording.write("homestead", item)
        assert item.raw["SYQMJ"] == raw, "the world's own row stays"
        return out.raw["SYQMJ"], out.canonical and out.canonical["land_area_m2"]

    assert written("120.00", "120.00") == ("0.1800", "120.00")
    assert written("100.03", "100.03") == ("0.1500", "100.00")
    assert written(" 120.00\t", "120.00") == (" 0.1800\t", "120.00")
    assert written("0.00", None) == ("0.0000", None)
    for said in ("120平方米", "0.18亩", "12o.00", "宗地面积120.00㎡/房屋建筑面积90.00㎡", "不详"):
        assert written(said, "120.00") == (said, "120.00")


def test_a_coarser_dictionary_knows_less(mocks: Mocks) -> None:
    served, world = mocks.served["360983"], mocks.served["360983"].world
    pairs = list(zip(world.items("contracted_land"), served.items("contracted_land"), strict=True))
    relations = {m["YHZGX"] for _, item in pairs for m in item.raw["CBF_JTCY"]}
    assert {"01", "02"} <= relations
    assert not {"10", "11", "12"} & relations
    true = {m["relation"] for _, item in pairs if item.canonical for m in item.canonical["members"]}
    assert {"02", "10"} <= true
    assert not {"11", "12"} & true
    silent = served.items("contracted_land", unannounced=True)
    assert {m["YHZGX"] for item in silent for m in item.raw["CBF_JTCY"]} >= {"02", "10"}
    assert all(item.canonical == other.canonical for (_, item), other in zip(pairs, silent, strict=True))


def test_a_code_that_stays_as_it_is_means_nothing_else_in_the_systems_dictionary(mocks: Mocks) -> None:
    for county in set(COUNTIES) - {PILOT}:
        world = mocks.served[county].world
        for dataset, wording in wordings(county).items():
            for column, words in wording.words.items():
                if wording is SWAPPED or len(set(words.values())) < len(words):
                    continue
                rows = [row for i in world.items(dataset) if not i.dirt for row in (i.raw, *i.raw.get("CBF_JTCY", ()))]
                sent = {row[column] for row in rows if row.get(column)}
                kept = sent - words.keys()
                assert not kept & set(words.values()), (county, dataset, column)
