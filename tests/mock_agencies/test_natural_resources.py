"""Natural resources: profile TIF, whose refusals are HTTP 500, and pages of records."""

import time

import pytest

from mock_agencies.natural_resources import sign
from tests.mock_agencies.conftest import TIF_TOKEN, tif

INCOMPLETE = {"code": 400001, "msg": "鉴权参数不完整，请求不合法。"}
WRONG = {"code": 400001, "msg": "鉴权失败，鉴权信息有误。"}


def test_sign_is_the_printed_vector():
    expected = "8480B431A483A26203655E64227B093F69AD1DA2143524C3F745E6A6BBE3327E"
    assert sign("DEMO_TOKEN_0123456789", "1690000000", "nonce-abc") == expected


@pytest.mark.parametrize("missing", ["x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature"])
def test_an_incomplete_call_is_refused_with_500(client, missing):
    headers = {name: value for name, value in tif().items() if name != missing}
    answer = client.approvals(headers)
    assert (answer.status_code, answer.json()) == (500, INCOMPLETE)


@pytest.mark.parametrize(
    ("token", "change"),
    [
        ("another token", {}),
        (TIF_TOKEN, {"x-tif-paasid": "somebody"}),
        (TIF_TOKEN, {"x-tif-nonce": "another"}),
        (TIF_TOKEN, {"x-tif-timestamp": "now"}),
    ],
)
def test_a_wrong_call_is_refused_with_500(client, token, change):
    answer = client.approvals(tif(token) | change)
    assert (answer.status_code, answer.json()) == (500, WRONG)


def test_the_clock_may_be_three_minutes_off_and_case_does_not_matter(client):
    now = int(time.time())
    for away, status in ((-170, 200), (170, 200), (-185, 500), (190, 500)):
        assert client.approvals(tif(at=now + away)).status_code == status
    headers = tif()
    headers["x-tif-signature"] = headers["x-tif-signature"].lower()
    assert client.approvals(headers).status_code == 200


def test_pages_hold_every_approval(client):
    items, got = client.mocks.world.items("homestead_approval"), []
    for number in range(1, 50):
        data = client.approvals(current=number, size=60).json()["data"]
        assert (data["total"], data["current"], data["size"]) == (str(len(items)), number, 60)
        assert data["pages"] == -(-len(items) // 60)
        if not data["records"]:
            break
        got += data["records"]
    assert got == [item.raw for item in items]


def test_pages_are_capped_silently(client):
    data = client.approvals(current=2, size=5000).json()["data"]
    assert data["records"] == [item.raw for item in client.mocks.world.items("homestead_approval")[100:200]]


def test_approvals_since(client):
    items = client.mocks.world.items("homestead_approval")
    since = items[-9].updated
    data = client.approvals(gxsj=since).json()["data"]
    assert int(data["total"]) == len(data["records"]) == sum(item.updated >= since for item in items)


def test_wrong_questions(client):
    assert client.approvals(current="one").json() == {"code": 400, "msg": "参数错误", "data": None}
    url = client.mocks.urls["natural_resources"] + "/ebus/zrzy/elsewhere"
    assert client.http.get(url, headers=tif()).json()["code"] == 404
    assert client.http.get(url).status_code == 500


def test_faults(client):
    client.mocks.fault("natural_resources", "auth500")
    answer = client.approvals()
    assert (answer.status_code, answer.json()) == (500, WRONG)
    every = client.approvals(size=10).json()["data"]["records"]
    client.mocks.fault("natural_resources", "partial")
    body = client.approvals(size=10).json()
    assert (body["errItems"], body["data"]["records"]) == (1, every[:5] + every[6:])
