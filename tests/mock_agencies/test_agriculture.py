"""Agriculture: profile ZJ with a pair of secrets, three envelopes, lists inside rows."""

import json
import time

import pytest

from mock_agencies.agriculture import PAGE_CAPS, sign
from tests.mock_agencies.conftest import CONTRACTS, ENTITIES, SUBSIDIES, signed

DATASET = {SUBSIDIES: "subsidy", CONTRACTS: "contracted_land", ENTITIES: "agri_entity"}
NUMBER = {SUBSIDIES: "pageNum", CONTRACTS: "pageNum", ENTITIES: "pageNo"}


def refusal(code: str, message: str) -> dict:
    counts = {"datas": "", "dataCount": 0, "totalDataCount": 0, "totalPage": 0, "requestId": None}
    return {"code": code, "msg": message, "data": ""} | counts


def rows(answer) -> list[dict]:
    datas = answer.json()["datas"]
    return json.loads(datas) if isinstance(datas, str) else datas


def test_sign_is_the_printed_vector():
    assert sign("demoAppKey", "demoRequestSecret", "1690000000000") == "3a70515396934f6626f64ad4a38cc125"


def test_a_renewal_gives_two_secrets_and_their_ends(client):
    answer = client.zj_renew()
    assert list(answer) == [
        *("code", "msg", "data", "datas", "dataCount", "totalDataCount", "totalPage", "requestId", "interfaces"),
    ]
    datas, now = answer["datas"], time.time() * 1000
    assert 890_000 < datas["requestSecretEndTime"] - now <= 900_000
    assert 172_790_000 < datas["refreshSecretEndTime"] - now <= 172_800_000
    assert datas["requestSecret"] != datas["refreshSecret"]


def test_the_refresh_secret_renews_once_and_the_app_secret_always(client):
    first = client.zj_renew()["datas"]
    second = client.zj_renew("Sec", first["refreshSecret"])["datas"]
    assert second["requestSecret"] != first["requestSecret"]
    assert client.zj_renew("Sec", first["refreshSecret"]) == refusal("99", "刷新密钥失效")
    assert client.zj_renew("Sec", second["requestSecret"]) == refusal("99", "签名错误")
    assert client.zj_renew("Key", second["refreshSecret"]) == refusal("99", "签名错误")
    assert client.zj_renew()["code"] == "00"


def test_secrets_run_out(client):
    refresh = client.zj_renew()["datas"]["refreshSecret"]
    client.mocks.expire_request_secret()
    assert client.agriculture(SUBSIDIES).json() == refusal("99", "请求密钥失效")
    refresh = client.zj_renew("Sec", refresh)["datas"]["refreshSecret"]
    assert client.agriculture(SUBSIDIES).json()["code"] == "00"
    client.mocks.expire_request_secret(refresh=True)
    assert client.zj_renew("Sec", refresh) == refusal("99", "刷新密钥失效")


def test_the_secret_before_is_refused_as_outdated_a_made_up_one_as_wrong(client):
    client.zj_renew()
    old = client.request_secret
    client.zj_renew()
    assert client.agriculture(SUBSIDIES, secret=old).json() == refusal("99", "请求密钥失效")
    assert client.agriculture(SUBSIDIES, secret="0" * 32).json() == refusal("99", "签名错误")
    assert client.agriculture(SUBSIDIES, secret="demo-agriculture-secret").json() == refusal("99", "签名错误")


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"sign": ""}, "97", "参数缺失"),
        ({"requestTime": "today"}, "98", "参数类型错误"),
        ({"appKey": "another"}, "99", "appKey无效"),
        ({"requestTime": "1690000000000"}, "99", "时间戳过期"),
    ],
)
def test_what_is_not_signed_rightly_is_refused(client, change, code, message):
    client.zj_renew()
    url = f"{client.mocks.urls['agriculture']}/gateway/api/360981/dataSharing/{SUBSIDIES}.htm"
    answer = client.http.get(url, params=signed(client.request_secret) | change)
    assert (answer.status_code, answer.json()) == (200, refusal(code, message))


def test_the_clock_may_be_ten_minutes_off(client):
    client.zj_renew()
    url = f"{client.mocks.urls['agriculture']}/gateway/api/360981/dataSharing/{SUBSIDIES}.htm"
    for away, code in ((-590_000, "00"), (590_000, "00"), (-601_000, "99"), (610_000, "99")):
        at = int(time.time() * 1000) + away
        assert client.http.get(url, params=signed(client.request_secret, at=at)).json()["code"] == code


def test_members_are_taken_from_wherever_they_stand(client):
    client.zj_renew()
    url = f"{client.mocks.urls['agriculture']}/gateway/api/360981/dataSharing/{SUBSIDIES}.htm"
    asked = {"pageNum": "2", "pageSize": "3"}
    expected = [item.raw for item in client.mocks.world.items("subsidy")[3:6]]

    def three() -> dict[str, str]:
        return signed(client.request_secret)

    answers = [
        client.http.get(url, params=three() | asked),
        client.http.get(url, params=asked, headers=three()),
        client.http.post(url, data=three() | asked),
        client.http.post(url, json=asked, headers=three()),
        client.http.post(url, data={"data": json.dumps(three() | asked)}),
    ]
    assert [rows(answer) for answer in answers] == [expected] * 5


@pytest.mark.parametrize("code", [SUBSIDIES, CONTRACTS, ENTITIES])
def test_pages_hold_every_row(client, code):
    items, got = client.mocks.world.items(DATASET[code]), []
    for number in range(1, 100):
        answer = client.agriculture(code, **{NUMBER[code]: number, "pageSize": 40})
        body = answer.json()
        assert body["totalDataCount"] == len(items)
        assert body["totalPage"] == -(-len(items) // 40)
        if not (page := rows(answer)):
            break
        got += page
    assert got == [item.raw for item in items]


def test_three_interfaces_have_three_envelopes(client):
    subsidies, contracts, entities = (
        client.agriculture(c, pageSize=2).json() for c in (SUBSIDIES, CONTRACTS, ENTITIES)
    )
    counted = {"msg", "datas", "totalDataCount", "totalPage", "requestId"}
    assert set(subsidies) == set(contracts) == counted | {"code", "data", "dataCount"}
    assert set(entities) == counted | {"recode"}
    assert (subsidies["code"], contracts["code"], entities["recode"]) == ("00", "00", "000000")
    assert [type(body["datas"]) for body in (subsidies, contracts, entities)] == [list, str, list]
    assert subsidies["dataCount"] == contracts["dataCount"] == 2
    assert client.agriculture(SUBSIDIES).json()["requestId"] != subsidies["requestId"]


@pytest.mark.parametrize(("code", "cap"), [(SUBSIDIES, 30), (CONTRACTS, 20), (ENTITIES, 10)])
def test_pages_are_capped_silently(client, monkeypatch, code, cap):
    monkeypatch.setitem(PAGE_CAPS, code, cap)
    answer = client.agriculture(code, **{NUMBER[code]: 2, "pageSize": 9999})
    assert rows(answer) == [item.raw for item in client.mocks.world.items(DATASET[code])[cap : 2 * cap]]


def test_what_changed_since_is_asked_for_but_for_the_directories(client):
    for code in (SUBSIDIES, CONTRACTS):
        items = client.mocks.world.items(DATASET[code])
        since = items[-20].updated
        answer = client.agriculture(code, gxsj=since)
        assert answer.json()["totalDataCount"] == sum(item.updated >= since for item in items) < len(items)
    assert client.agriculture(ENTITIES, gxsj="2099-01-01 00:00:00").json()["totalDataCount"] > 0


def test_a_contract_brings_its_plots_and_its_household(client):
    row = next(row for row in rows(client.agriculture(CONTRACTS)) if row["CBFLX"] == "1" and len(row["CBDKXX"]) > 1)
    assert set(row["CBDKXX"][0]) == {
        *("DKBM", "DKMC", "DKLB", "TDYT", "DLDJ", "SFJBNT", "CBJYQQDFS", "HTMJ", "HTMJM", "SFQQQG", "DKDZ", "DKXZ"),
    }
    assert set(row["CBF_JTCY"][0]) == {"CYXM", "CYZJHM", "YHZGX", "SFGYR", "CYZJLX", "CYBZ"}


@pytest.mark.parametrize(
    ("code", "region", "parameters", "refused"),
    [
        ("unknown0009", "360981", {}, refusal("99", "接口不存在")),
        (SUBSIDIES, "360982", {}, refusal("99", "接口不存在")),
        (SUBSIDIES, "360981", {"pageNum": "one"}, refusal("98", "参数类型错误")),
        (ENTITIES, "360981", {"pageSize": "x"}, refusal("98", "参数类型错误")),
    ],
)
def test_wrong_questions(client, code, region, parameters, refused):
    assert client.agriculture(code, region=region, **parameters).json() == refused


def test_calls_are_logged_by_their_interface(client):
    client.agriculture(ENTITIES)
    assert [call["service"] for call in client.mocks.calls()["agriculture"][-2:]] == [
        "/gateway/app/refreshTokenByKey.htm",
        ENTITIES,
    ]


def test_rows_suffer_faults_like_others(client):
    every = rows(client.agriculture(SUBSIDIES, pageSize=20))
    client.mocks.fault("agriculture", "partial", match=SUBSIDIES)
    answer = client.agriculture(SUBSIDIES, pageSize=20)
    assert answer.json()["errItems"] == 1
    assert rows(answer) == every[:10] + every[11:]
    client.mocks.fault("agriculture", "repeat", match=CONTRACTS)
    again = rows(client.agriculture(CONTRACTS, pageNum=2, pageSize=5))
    assert again == rows(client.agriculture(CONTRACTS, pageNum=1, pageSize=5))
    client.mocks.fault("agriculture", "capped")
    assert len(rows(client.agriculture(CONTRACTS))) == 50
    client.mocks.fault("agriculture", "shift", times=2, match=ENTITIES)
    totals = [client.agriculture(ENTITIES, pageNo=n, pageSize=5).json()["totalDataCount"] for n in (1, 2)]
    assert totals[1] == totals[0] + 1
    client.mocks.fault("agriculture", "500", match="refreshTokenBySec")
    assert client.zj_renew()["code"] == "00"
