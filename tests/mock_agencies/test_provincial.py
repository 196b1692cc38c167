"""Provincial exchange: profile GJ, a secret that rotates, pages and day slices."""

import json
import time

import pytest

from mock_agencies.provincial import sign
from tests.mock_agencies.conftest import APP_KEY, CATALOGUE, MEMBERS, PAYMENTS, four

OUTDATED = {"code": "E-106", "data": "", "message": "密钥已过期"}
WRONG = {"code": "-1", "data": "", "message": "验签失败"}
FAILED = {"code": "-1", "data": "", "message": "接口调用失败"}


def test_sign_is_the_printed_vector():
    given = sign("demoAppSecret", "s_3600000000000_0001", "demo-rid@36", "1690000000000")
    assert given == "g9Iy8LOmmp/fQ07gy7N5X8G0/uIuEcvtc9k71Y0c19Q="


def test_a_renewal_gives_a_secret_and_its_end(client):
    answer = client.http.post(
        client.mocks.urls["provincial"] + "/sysapi/auth/refreshappsecret", json=four(APP_KEY, CATALOGUE)
    ).json()
    assert answer["code"] == "0"
    assert len(answer["data"]["secret"]) == 64
    lifetime = int(answer["data"]["secretEndTime"]) / 1000 - time.time()
    assert 890 < lifetime <= 900
    assert len(client.renew()) == 32


def test_a_renewal_needs_the_app_key(client):
    url = client.mocks.urls["provincial"] + "/sysapi/auth/refreshappsecret"
    assert client.http.post(url, json=four("another key", CATALOGUE)).json() == WRONG


def test_the_secret_before_is_refused_as_outdated(client):
    old = client.renew()
    new = client.renew()
    assert old != new
    assert client.provincial("/httpproxy", MEMBERS, {}, secret=old).json() == OUTDATED
    assert client.provincial("/httpproxy", MEMBERS, {}, secret=new).json()["code"] == "0"


def test_a_secret_runs_out(client):
    client.renew()
    client.mocks.expire_secret()
    assert client.provincial("/httpproxy", MEMBERS, {}).json() == OUTDATED


@pytest.mark.parametrize("away", [-181_000, 200_000])
def test_a_clock_that_is_off_is_refused(client, away):
    client.renew()
    now = int(time.time() * 1000)
    assert client.provincial("/httpproxy", MEMBERS, {}, rtime=now + away).json() == WRONG
    assert client.provincial("/httpproxy", MEMBERS, {}, rtime=now - 170_000).json()["code"] == "0"


def test_a_wrong_or_missing_sign_is_refused(client):
    client.renew()
    assert client.provincial("/httpproxy", MEMBERS, {}, secret="0" * 32).json() == WRONG
    assert client.http.post(client.mocks.urls["provincial"] + "/httpproxy", json={}).json() == WRONG


def test_the_catalogue_names_services_and_their_columns(client):
    answer = client.provincial("/sysapi/service/getlist", CATALOGUE, {}).json()
    assert [entry["sid"] for entry in answer["data"]] == [MEMBERS, PAYMENTS]
    served = {MEMBERS: client.members(pageSize=1)["rows"][0], PAYMENTS: client.payments("2026-02-10").json()[0]}
    for entry in answer["data"]:
        assert set(entry) == {"sid", "name", "provider", "updateCycle", "items"}
        assert {item["name"] for item in entry["items"]} == set(served[entry["sid"]])


def test_members_come_as_text_inside_the_envelope_page_by_page(client):
    answer = client.provincial("/httpproxy", MEMBERS, {"pageNum": 1, "pageSize": 10}).json()
    assert isinstance(answer["data"], str)
    total = json.loads(answer["data"])["total"]
    assert isinstance(total, str)
    rows = []
    for number in range(1, 50):
        page = client.members(pageNum=number, pageSize=300)["rows"]
        rows += page
        if len(page) < 300:
            break
    assert rows == [item.raw for item in client.mocks.world.items("household_member")]
    assert len(rows) == int(total)


def test_pages_are_capped_silently(client):
    page = client.members(pageNum=2, pageSize=5000)
    assert len(page["rows"]) == 500
    assert page["rows"] == [item.raw for item in client.mocks.world.items("household_member")[500:1000]]


def test_members_since(client):
    items = client.mocks.world.items("household_member")
    since = items[-20].updated
    page = client.members(pageNum=1, pageSize=500, gxsj_start=since)
    assert int(page["total"]) == len(page["rows"]) == sum(item.updated >= since for item in items)


def test_a_day_of_payments_is_a_bare_array(client):
    rows = client.payments("2026-02-10").json()
    assert rows == [item.raw for item in client.mocks.world.submitted("2026-02-10")]
    assert {row["GXSJ"][:10] for row in rows} == {"2026-02-10"}


def test_days_together_hold_every_payment(client):
    from datetime import date, timedelta

    rows = 0
    for back in range(95):
        answer = client.payments((date(2026, 3, 2) - timedelta(days=back)).isoformat())
        rows += 0 if answer.text.startswith("没有数据") else len(answer.json())
    assert rows == len(client.mocks.world.items("payment"))


@pytest.mark.parametrize("day", ["2026-02-11", "2026-03-10", "nonsense"])
def test_a_day_without_payments_is_plain_text(client, day):
    answer = client.payments(day)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.text == "没有数据或者时间格式错误"


@pytest.mark.parametrize(
    ("path", "sid", "body"),
    [
        ("/httpproxy", "s_3609810000000_0009", {}),
        ("/httpproxy", PAYMENTS, {"submitted_date": "2026-02-10", "table_id": "other", "cd_source": "360981"}),
        ("/httpproxy", MEMBERS, {"pageNum": "one"}),
        ("/httpproxy", MEMBERS, [1]),
        ("/elsewhere", MEMBERS, {}),
    ],
)
def test_what_cannot_be_served_fails_in_the_envelope(client, path, sid, body):
    answer = client.provincial(path, sid, body)
    assert (answer.status_code, answer.json()) == (200, FAILED)
