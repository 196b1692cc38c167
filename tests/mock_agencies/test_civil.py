"""Civil affairs: a token by log-in, offset paging, lists by month."""

import pytest

UNKNOWN = {"code": 401, "msg": "token失效", "data": None}


def test_log_in(client):
    url = client.mocks.urls["civil"] + "/auth/token"
    right = client.http.post(url, json={"appId": "demo-civil", "appSecret": "demo-civil-secret"}).json()
    assert (right["code"], right["msg"], right["data"]["expires_in"]) == (200, "ok", 7200)
    wrong = client.http.post(url, json={"appId": "demo-civil", "appSecret": "guess"}).json()
    assert wrong["code"] == 401
    assert wrong["data"] is None


def test_an_unknown_token_answers_200_with_401_inside(client):
    client.token = "made-up"
    answer = client.civil("/api/marriage")
    assert (answer.status_code, answer.json()) == (200, UNKNOWN)
    client.log_in()
    assert client.civil("/api/marriage").json()["code"] == 200
    client.mocks.forget_tokens()
    assert client.civil("/api/marriage").json() == UNKNOWN


def test_marriage_pages_hold_every_act(client):
    rows, total = [], None
    while total is None or len(rows) < total:
        data = client.civil("/api/marriage", offset=len(rows), limit=150).json()["data"]
        total, page = data["total"], data["list"]
        rows += page
    assert rows == [item.raw for item in client.mocks.world.items("marriage")]


def test_marriage_pages_are_capped(client):
    data = client.civil("/api/marriage", offset=0, limit=9999).json()["data"]
    assert len(data["list"]) == 200 < data["total"]


def test_marriages_since(client):
    items = client.mocks.world.items("marriage")
    since = items[-7].updated
    data = client.civil("/api/marriage", since=since).json()["data"]
    assert data["total"] == len(data["list"]) == sum(item.updated >= since for item in items)


def test_assistance_of_a_month(client):
    answer = client.civil("/api/assistance", month="2026-03", offset=0, limit=200).json()
    items = client.mocks.world.items("assistance")
    assert answer["data"] == [item.raw for item in items]
    assert (answer["state"], answer["message"], answer["totalItems"], answer["errItems"]) == (
        200,
        "success",
        len(items),
        0,
    )
    rest = client.civil("/api/assistance", month="2026-03", offset=10, limit=5).json()
    assert rest["data"] == answer["data"][10:15]


@pytest.mark.parametrize("month", ["2031-01", "", "x"])
def test_a_month_without_list_is_empty(client, month):
    answer = client.civil("/api/assistance", month=month).json()
    assert (answer["data"], answer["totalItems"]) == ([], 0)


def test_wrong_questions(client):
    assert client.civil("/api/marriage", offset="x").json()["code"] == 400
    assert client.civil("/api/nothing").json()["code"] == 404
