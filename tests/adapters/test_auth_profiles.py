"""Every auth profile over real sockets, against a desk that checks callers as the platforms do (mock_agencies/auth_desk.py)."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter

from adapters.kit import (
    Allowance,
    AuthModel,
    Envelope,
    Http,
    LocalBudget,
    Offset,
    PageNumber,
    Ports,
    RestAdapter,
    RestStream,
    SoapAdapter,
    SoapStream,
    SourceDenied,
    SourceError,
    SourceMalformed,
    make_auth,
)
from adapters.kit.recording import Recording, record, replay, run
from mock_agencies import auth_desk
from mock_agencies.auth_desk import AuthDesk
from mock_agencies.auth_doors import RID, ROWS, SECRETS

pytestmark = pytest.mark.sockets

GJ = {"profile": "gj", "base_url": "{url}/gj", "rid": RID, "sid": "s_36_0000"}
MEMBERS, OTHERS = ("app_id", "app_secret", "token", "expires"), ("appKey", "key", "accessToken", "expire")
LOGIN = {"profile": "login", "url": "{url}/login/auth"}
REST: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "tif": ("/tif/rows", {"profile": "tif"}),
    "zj": ("/zj/gateway/api/rows.htm", {"profile": "zj", "base_url": "{url}/zj"}),
    "zj-query": ("/zj/gateway/api/rows.htm", {"profile": "zj", "base_url": "{url}/zj", "place": "query"}),
    "gj": ("/gj/httpproxy", GJ),
    "xclient": ("/xclient/gateway/api/1/rows", {"profile": "xclient"}),
    "sha1_concat": ("/sha1/rows", {"profile": "sha1_concat"}),
    "login": ("/login/rows", LOGIN),
    "login-header": ("/login/rows", {**LOGIN, "header": "token", "lifetime": 600}),
    "login-query": ("/login/rows", {**LOGIN, "query": "access_token", **dict(zip(MEMBERS, OTHERS, strict=True))}),
    "bearer": ("/fixed/rows", {"profile": "bearer"}),
    "bearer-query": ("/fixed/rows", {"profile": "bearer", "query": "access_token"}),
    "api_key": ("/fixed/rows", {"profile": "api_key"}),
    "api_key-query": ("/fixed/rows", {"profile": "api_key", "query": "key"}),
    "basic": ("/basic/rows", {"profile": "basic"}),
    "digest": ("/digest/rows", {"profile": "digest"}),
}
SOAP: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gj-soap": ("/gj/wsproxy", {**GJ, "wrapper": "tongtechheader", "sign_prefix": "jsjhpt_"}),
    "username_token": ("/wsse/service", {"profile": "username_token"}),
    "username_token-text": ("/wsse/text", {"profile": "username_token", "password": "text"}),
}
AS_DECLARED = {
    "zj-query": ("place", "query"),
    "login-header": ("members", ("appId", "appSecret", "token", "")),
    "login-query": ("members", OTHERS),
}
"""How the desk must be set for a case: it takes nothing that was not declared."""
ALL = [*REST, *SOAP]
REFUSED_AS = {"login": "CREDENTIAL_REFUSED", "basic": "CREDENTIAL_REFUSED", "digest": "CREDENTIAL_REFUSED"}


def door(case: str) -> str:
    return {**REST, **SOAP}[case][0].split("/")[1]


def declared(case: str, url: str) -> Any:
    """What a file says, read."""
    return TypeAdapter(AuthModel).validate_json(json.dumps({**REST, **SOAP}[case][1]).replace("{url}", url))


class Soap(SoapAdapter):
    name, title = "soap", "SOAP"
    streams: ClassVar[Mapping[str, SoapStream]] = {
        "payment": SoapStream(
            operation="Query", row="record", service="s_{county}_0001", params={"qxdm": "{county}"}, mapping={}
        )
    }


def rest(path: str, **more: Any) -> type[RestAdapter]:
    streams = {"payment": RestStream(path=path, service="s_{county}_0001", mapping={}, **more)}
    return type("Rest", (RestAdapter,), {"name": "rest", "title": "REST", "streams": streams})


class Caller:
    """One account at the desk."""

    def __init__(self, desk: AuthDesk, url: str, ports: Callable[..., Ports], http: Http) -> None:
        self.desk, self.url = desk, url
        self._ports, self._http = ports, http
        self.skew = timedelta()

    def ports(self, secrets: Mapping[str, str]) -> Ports:
        now = lambda: datetime.now(UTC) + self.skew
        return self._ports(self._http, dict(secrets), now=now, budget=LocalBudget(Allowance(concurrency=2), now))

    def adapter(self, case: str, secrets: Mapping[str, str] | None = None, **more: Any) -> Any:
        if case in AS_DECLARED:
            name, value = AS_DECLARED[case]
            setattr(getattr(self.desk, door(case)), name, value)
        path, ports = {**REST, **SOAP}[case][0], self.ports(SECRETS[door(case)] if secrets is None else secrets)
        if case in SOAP:
            kind: Any = Soap
            settings = kind.Settings.model_validate({"wsdl": f"{self.url}{path}?wsdl"})
        else:
            message = "message" if case == "gj" else "msg"
            kind = rest(path, **{"envelope": Envelope(message=message), **more})
            settings = kind.Settings.model_validate({"base_url": self.url})
        adapter = kind(ports, settings, "360981")
        adapter.__dict__["auth"] = make_auth(declared(case, self.url), ports)
        return adapter

    def wrong(self, case: str) -> Mapping[str, str]:
        """The account's secrets, the one that signs mistyped."""
        given = SECRETS[door(case)]
        ids = {"paasid", "client_id", "app_id", "username"} | ({"app_key"} if "app_secret" in given else set())
        return {name: text if name in ids else f"{text}x" for name, text in given.items()}


@pytest.fixture
def caller(http: Http, build_ports: Callable[..., Ports]) -> Iterator[Caller]:
    with auth_desk.start() as (desk, url):
        yield Caller(desk, url, build_ports, http)


def rows(adapter: Any) -> list[Any]:
    return adapter.fetch("payment", None).rows.decode()


def refused(adapter: Any, kind: type[SourceError] = SourceDenied) -> SourceError:
    """The error; nothing that anybody could print of it holds a secret."""
    with pytest.raises(kind) as caught:
        rows(adapter)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.facts)
    for secret in [*adapter.ports.secrets.fixed.values(), *(kept.text for kept in adapter.ports.secrets.kept.values())]:
        assert secret not in told
    return caught.value


def stopped(adapter: Any) -> str | None:
    found: str | None = adapter.ports.budget.state.stopped
    return found


@pytest.mark.parametrize("case", ALL)
def test_the_desk_lets_in_who_signs_as_declared(caller: Caller, case: str) -> None:
    adapter = caller.adapter(case)
    assert adapter.probe()[0].ok
    assert rows(adapter) == ROWS
    assert rows(adapter) == ROWS
    assert stopped(adapter) is None


@pytest.mark.parametrize("case", ALL)
def test_a_wrong_secret_stops_the_account(caller: Caller, case: str) -> None:
    adapter = caller.adapter(case, caller.wrong(case))
    code = REFUSED_AS.get(case.partition("-")[0], "AUTH_CONFIG")
    assert refused(adapter).code == code
    assert stopped(adapter) == code
    assert refused(adapter).code == "ACCOUNT_STOPPED"


@pytest.mark.parametrize("case", ALL)
def test_an_address_that_is_not_on_the_list_stops_the_account(caller: Caller, case: str) -> None:
    caller.desk.allowed = {"10.0.0.1"}
    adapter = caller.adapter(case)
    assert refused(adapter).code == "AUTH_CONFIG"
    assert stopped(adapter) == "AUTH_CONFIG"


@pytest.mark.parametrize("case", ALL)
def test_a_missing_secret_is_named_and_asked_for_only_when_signing(caller: Caller, case: str) -> None:
    adapter = caller.adapter(case, {})
    error = refused(adapter)
    assert error.code == "AUTH_CONFIG"
    assert error.facts["secret"] in declared(case, caller.url).secrets_needed
    assert not adapter.probe()[0].ok


@pytest.mark.parametrize(
    ("case", "seconds", "code"),
    [("tif", 180, "AUTH_CONFIG"), ("xclient", 600, "CREDENTIAL_REFUSED"), ("sha1_concat", 3600, "CREDENTIAL_REFUSED")],
)
def test_a_clock_may_be_off_as_far_as_the_platform_says(caller: Caller, case: str, seconds: int, code: str) -> None:
    """TIF says no more than 鉴权失败, and says it with HTTP 500: no reason to try again."""
    adapter = caller.adapter(case)
    for sign in (-1, 1):
        caller.skew = timedelta(seconds=sign * (seconds - 5))
        assert rows(adapter) == ROWS
    caller.skew = timedelta(seconds=-seconds - 5)
    error = refused(adapter)
    assert (error.code, stopped(adapter)) == (code, code)
    assert ("时钟" in str(error)) == (code == "CREDENTIAL_REFUSED")


def asked(caller: Caller) -> tuple[int, int]:
    """How often the pair was renewed: by the refresh secret, by the app secret."""
    return caller.desk.zj.asked["refreshTokenBySec"], caller.desk.zj.asked["refreshTokenByKey"]


@pytest.mark.parametrize("case", ["zj", "zj-query"])
def test_zj_renews_with_the_refresh_secret(caller: Caller, case: str) -> None:
    adapter = caller.adapter(case)
    rows(adapter)
    assert asked(caller) == (0, 1)
    caller.desk.zj.expire("request")
    assert rows(adapter) == ROWS
    assert asked(caller) == (1, 1)
    caller.skew = timedelta(minutes=14, seconds=30)
    rows(adapter)
    assert asked(caller) == (2, 1)
    assert set(adapter.ports.secrets.kept) == {"request_secret", "refresh_secret"}


def test_zj_takes_the_app_secret_when_the_refresh_secret_has_run_out(caller: Caller) -> None:
    adapter = caller.adapter("zj")
    rows(adapter)
    kept = adapter.ports.secrets.kept
    for name in kept:
        kept[name] = replace(kept[name], expires_at=datetime.now(UTC))
    assert rows(adapter) == ROWS
    assert asked(caller) == (0, 2)


@pytest.mark.parametrize("happens", ["forget", "expire"])
def test_zj_takes_the_app_secret_when_the_refresh_secret_is_refused(caller: Caller, happens: str) -> None:
    """Somebody else renewed, or the platform's clock runs ahead; the account goes on."""
    adapter = caller.adapter("zj")
    rows(adapter)
    if happens == "forget":
        caller.desk.zj.forget()
    else:
        caller.desk.zj.expire("request")
        caller.desk.zj.expire("refresh")
    assert rows(adapter) == ROWS
    assert asked(caller) == (1, 2)
    assert stopped(adapter) is None


def test_zj_survives_a_crash_between_its_two_secrets(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = caller.adapter("zj")
    rows(adapter)
    caller.desk.zj.expire("request")
    secrets, store = adapter.ports.secrets, adapter.ports.secrets.store

    def dies(name: str, secret: Any) -> None:
        if name == "request_secret":
            raise KeyboardInterrupt
        store(name, secret)

    monkeypatch.setattr(secrets, "store", dies)
    with pytest.raises(KeyboardInterrupt):
        rows(adapter)
    monkeypatch.undo()
    assert rows(adapter) == ROWS
    assert asked(caller) == (2, 1)


@pytest.mark.parametrize(("case", "count"), [("zj", lambda d: sum(d.zj.asked.values())), ("gj", lambda d: d.gj.asked["renewals"]),
                                             ("login", lambda d: d.login.asked["log-ins"])])  # fmt: skip
def test_workers_that_meet_one_expiry_renew_once(caller: Caller, case: str, count: Callable[[AuthDesk], int]) -> None:
    first = caller.adapter(case)
    workers = [caller.adapter(case) for _ in range(4)]
    for worker in workers:
        worker.__dict__["auth"]._ports = first.auth._ports
    rows(first)
    if case == "zj":
        caller.desk.zj.expire("request")
    elif case == "login":
        caller.desk.login.tokens.clear()
    else:
        first.ports.secrets.kept.clear()
    before, start, got = count(caller.desk), threading.Barrier(4), []

    def work(adapter: Any) -> None:
        start.wait()
        got.append(rows(adapter))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [ROWS] * 4
    assert count(caller.desk) == before + 1


def test_a_token_that_is_forgotten_is_got_anew_once(caller: Caller) -> None:
    adapter = caller.adapter("login")
    rows(adapter)
    caller.desk.login.tokens.clear()
    assert rows(adapter) == ROWS
    assert caller.desk.login.asked["log-ins"] == 2


def test_one_challenge_serves_a_run_and_a_stale_one_is_replaced(caller: Caller) -> None:
    adapter, asked = caller.adapter("digest", params={"name": "张 三", "at": "1/2"}), caller.desk.digest.asked
    for _ in range(3):
        assert rows(adapter) == ROWS
    assert asked == {"unasked": 1}
    caller.desk.digest.expire()
    assert rows(adapter) == ROWS
    assert asked == {"unasked": 1, "stale": 1}
    threads = [threading.Thread(target=rows, args=(adapter,)) for _ in range(4)]
    adapter.ports.budget._allowance = Allowance()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == {"unasked": 1, "stale": 1}


def test_a_password_is_not_tried_again_and_again(caller: Caller) -> None:
    adapter = caller.adapter("digest", caller.wrong("digest"))
    refused(adapter)
    assert caller.desk.digest.asked == {"unasked": 1, "refused": 1}


@pytest.mark.parametrize(("algorithms", "fine"), [(("MD5",), True), (("SHA-256",), True), (("SHA-512-256",), False)])
def test_digests_are_those_of_the_first_known_algorithm(caller: Caller, algorithms: Any, fine: bool) -> None:
    caller.desk.digest.algorithms = algorithms
    adapter = caller.adapter("digest")
    if fine:
        assert rows(adapter) == ROWS
    else:
        assert refused(adapter, SourceMalformed).code == "CHALLENGE_UNKNOWN"
    assert stopped(adapter) is None


@pytest.mark.parametrize("case", ["username_token", "xclient"])
def test_the_desk_refuses_what_it_has_seen(caller: Caller, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    adapter = caller.adapter(case)
    monkeypatch.setattr("secrets.token_bytes", lambda size: b"n" * size)
    monkeypatch.setattr("secrets.token_hex", lambda size: "n" * size)
    assert rows(adapter) == ROWS
    assert refused(adapter).code == "AUTH_CONFIG"


def test_an_outdated_username_token_points_at_the_clock(caller: Caller) -> None:
    adapter = caller.adapter("username_token")
    caller.skew = timedelta(seconds=-330)
    error = refused(adapter)
    assert error.code == "CREDENTIAL_REFUSED"
    assert "时钟" in str(error)


@pytest.mark.parametrize("paging", [Offset("STARTNUM", "PAGENUM", limit=3), PageNumber("PAGE", "PAGENUM", limit=3)])
def test_both_pagings_of_p4_are_walked(caller: Caller, paging: Any) -> None:
    pages, cursor = run(caller.adapter("xclient", paging=paging), "payment", None, 10)
    assert [row for page in pages for row in page.rows.decode()] == ROWS
    assert (len(pages), cursor) == (4, {"rest": True}), "the first page is asked again"


@pytest.mark.parametrize("secret", ["短令牌", "two\nlines", "tab\t"])
@pytest.mark.parametrize("case", ["bearer", "api_key", "tif"])
def test_a_secret_that_no_header_may_carry_is_not_quoted(caller: Caller, case: str, secret: str) -> None:
    adapter = caller.adapter(case, dict.fromkeys(("token", "api_key", "paasid"), secret))
    assert refused(adapter).code == "AUTH_CONFIG"
    assert stopped(adapter) == "AUTH_CONFIG"


@pytest.mark.parametrize("case", ["zj-query", "api_key-query", "gj-soap", "username_token", "username_token-text"])
def test_a_recording_holds_no_signature(caller: Caller, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = caller.adapter(case)
    auth = property(lambda self: make_auth(declared(case, caller.url), self.ports))
    kind = type("Recorded", (type(adapter),), {"auth": auth})
    taken: Recording = record(kind, adapter.ports, adapter.settings, "360981")
    told = json.dumps([(e.path, e.headers, e.sent) for e in taken.exchanges])
    kept = [*adapter.ports.secrets.fixed.values(), *(secret.text for secret in adapter.ports.secrets.kept.values())]
    assert [word for word in (*kept, "sign", "Nonce", "Security", "requestTime", "key=") if word in told] == []
    pages, _ = run(replay(taken, kind), "payment", None, 10)
    assert [row for page in pages for row in page.rows.decode()] == ROWS
