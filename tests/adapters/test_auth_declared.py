"""Auth profiles as YAML may choose them: every parameter, its bounds, the secrets it asks for, and the table that says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.kit import PROFILES, AuthModel, Ports, SourceDenied, make_auth
from adapters.kit.auth import declared

READ = TypeAdapter(AuthModel)
URL = "https://gateway.example/api"
MINIMAL = {
    "login": {"url": URL},
    "gj": {"base_url": URL, "rid": "demo-rid@36", "sid": "s_36_0000"},
    "zj": {"base_url": URL},
}
ALL = [{"profile": name, **MINIMAL.get(name, {})} for name in PROFILES]


def rows_of_the_table() -> dict[str, tuple[str, str]]:
    """Profile -> its parameters and its secrets, as the docstring prints them."""
    rows: dict[str, tuple[str, str]] = {}
    name = ""
    for line in (declared.__doc__ or "").split("\n\n")[1].splitlines()[1:]:
        name = line[4:20].strip() or name
        before = rows.get(name, ("", ""))
        rows[name] = (f"{before[0]} {line[20:78]}", f"{before[1]} {line[78:]}")
    return rows


@pytest.mark.parametrize("given", ALL, ids=list(PROFILES))
def test_the_printed_table_is_true(given: dict[str, Any]) -> None:
    model = PROFILES[given["profile"]]
    parameters, secrets = rows_of_the_table()[given["profile"]]
    printed = re.findall(r"\w+\*?", parameters)
    fields = {name: field for name, field in model.model_fields.items() if name != "profile"}
    assert sorted(printed) == sorted(name + "*" * field.is_required() for name, field in fields.items())
    assert [name for name in READ.validate_python(given).secrets_needed if name not in secrets] == []
    assert rows_of_the_table().keys() == PROFILES.keys()


@pytest.mark.parametrize("given", ALL, ids=list(PROFILES))
def test_a_profile_asks_for_the_secrets_it_names_and_no_others(
    given: dict[str, Any], build_ports: Callable[..., Ports]
) -> None:
    model = READ.validate_python(given)
    for name in model.secrets_needed:
        missing = dict.fromkeys(set(model.secrets_needed) - {name}, "x")
        with pytest.raises(SourceDenied) as caught:
            make_auth(model, build_ports(None, missing)).sign("s")
        assert (caught.value.code, caught.value.facts) == ("AUTH_CONFIG", {"secret": name})
    if given["profile"] not in {"login", "gj", "zj"}:
        make_auth(model, build_ports(None, dict.fromkeys(model.secrets_needed, "x"))).sign("s")


@pytest.mark.parametrize("given", ALL, ids=list(PROFILES))
def test_what_is_not_known_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        READ.validate_python({**given, "token_url": URL})
    with pytest.raises(ValidationError, match="frozen"):
        READ.validate_python(given).profile = "none"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"profile": "ZJ"},
        {"profile": "zj"},
        {"profile": "zj", "base_url": f"{URL}/"},
        {"profile": "zj", "base_url": "ftp://x"},
        {"profile": "zj", "base_url": URL, "place": "body"},
        {"profile": "gj", "base_url": URL, "rid": "", "sid": "s"},
        {"profile": "gj", "base_url": URL, "rid": 7, "sid": "s"},
        {"profile": "gj", "base_url": URL, "rid": "r", "sid": "s", "wrapper": "a b"},
        {"profile": "login", "url": URL, "lifetime": 60},
        {"profile": "bearer", "header": "two words"},
        {"profile": "bearer", "query": "a&b"},
        {"profile": "bearer", "query": "access_token", "header": "token"},
        {"profile": "api_key", "query": "key", "scheme": ""},
        {"profile": "username_token", "password": "plain"},
        {"profile": "mutual_tls", "also": {"profile": "mutual_tls"}},
        {"profile": "mutual_tls", "also": "bearer"},
    ],
)
def test_what_is_not_allowed_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python(given)


@pytest.mark.parametrize(
    ("given", "headers", "params"),
    [
        ({}, {"Authorization": "Bearer t"}, {}),
        ({"header": "authorization"}, {"authorization": "Bearer t"}, {}),
        ({"header": "token"}, {"token": "t"}, {}),
        ({"header": "token", "scheme": "Key"}, {"token": "Key t"}, {}),
        ({"scheme": ""}, {"Authorization": "t"}, {}),
        ({"query": "access_token"}, {}, {"access_token": "t"}),
    ],
)
def test_a_token_travels_where_the_file_says(
    build_ports: Callable[..., Ports], given: dict[str, str], headers: dict[str, str], params: dict[str, str]
) -> None:
    ports = build_ports(None, {"other": "t"})
    signed = make_auth(READ.validate_python({"profile": "bearer", "secret": "other", **given}), ports).sign("s")
    assert (dict(signed.headers), dict(signed.params)) == (headers, params)


def test_a_certificate_needs_what_the_profile_on_top_needs() -> None:
    also = {"profile": "bearer", "secret": "their_token"}
    model = READ.validate_python({"profile": "mutual_tls", "private_ca": True, "also": also})
    assert model.secrets_needed == ("client_cert", "client_key", "server_ca", "their_token")


def test_gj_speaks_with_the_prefix_of_its_platform(build_ports: Callable[..., Ports], server: Any) -> None:
    given = {"profile": "gj", "base_url": server.url, "rid": "r", "sid": "s", "prefix": "gjzwfwpt_"}
    ports = build_ports(None, {"app_key": "k"})
    auth = make_auth(READ.validate_python(given), ports)
    assert isinstance(auth, declared.GJ)
    assert list(auth._members("s", "k")) == ["gjzwfwpt_rid", "gjzwfwpt_sid", "gjzwfwpt_rtime", "gjzwfwpt_sign"]
