"""公安人口查询服务: whom it is asked about, who asks, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import msgspec
import pytest

import mock_agencies
from adapters.kit import (
    Http,
    Page,
    Person,
    Persons,
    Ports,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnavailable,
)
from adapters.kit.contract import checks
from adapters.kit.recording import record, run
from adapters.kit.scrub import Scrubber
from adapters.public_security import OFFICER, PublicSecurity
from mock_agencies import public_security
from mock_agencies.server import Agency

pytestmark = pytest.mark.sockets

SECRETS = {secret: public_security.OFFICER[element] for element, secret in OFFICER.items()}


class Listed:
    """A worklist of a few people."""

    def __init__(self, people: Sequence[tuple[str, str]]) -> None:
        self.persons = [Person(str(n), number, name) for n, (number, name) in enumerate(people)]

    def due(self, after: str | None, count: int) -> Persons:
        left = self.persons[0 if after is None else int(after) + 1 :]
        return Persons(tuple(left[:count]), last=len(left) <= count)


@pytest.fixture(scope="module")
def mocks() -> Iterator[mock_agencies.Mocks]:
    with mock_agencies.start(households=60, dirt=0.0, seed=3) as running:
        yield running


@pytest.fixture
def build(
    mocks: mock_agencies.Mocks, http: Http, build_ports: Callable[..., Ports]
) -> Iterator[Callable[..., PublicSecurity]]:
    def make(
        people: Sequence[tuple[str, str]] = (), secrets: dict[str, str] = SECRETS, **settings: Any
    ) -> PublicSecurity:
        ports = build_ports(
            http,
            secrets,
            now=lambda: datetime.now(UTC),
            today=lambda: date.fromisoformat(str(mocks.world.today)),
            worklist=Listed(people or everybody(mocks)),
        )
        told = {"wsdl": f"{mocks.urls['public_security']}/services/Population?wsdl", "system_code": "360981000001"}
        return PublicSecurity(ports, PublicSecurity.Settings.model_validate(told | settings), "360981")

    mocks.clear_faults()
    mocks.public_security.asked.clear()
    yield make
    mocks.clear_faults()
    mocks.public_security.quota = public_security.QUOTA


def everybody(mocks: mock_agencies.Mocks) -> list[tuple[str, str]]:
    return [(who.id_no, who.name) for home in mocks.world._members.population.households for who in home.members]


def answered(pages: list[Page]) -> dict[str, bool]:
    return {asked.subject: asked.found for page in pages for asked in page.asked}


def answers(monkeypatch: pytest.MonkeyPatch, change: Callable[[str], str]) -> None:
    """The service's PACKAGE, changed on its way."""
    package = public_security._package

    def changed(*given: Any) -> Any:
        response = package(*given)
        head, body = response.body.decode().split("<return>")
        inner, tail = body.split("</return>")
        response.body = f"{head}<return>{public_security.escape(change(unescape(inner)))}</return>{tail}".encode()
        return response

    monkeypatch.setattr(public_security, "_package", changed)


def test_everybody_is_answered_about_once(build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks) -> None:
    people = everybody(mocks)
    pages, cursor = run(build(), "household_member", None, 500)
    assert cursor == {"rest": True}
    assert [number for _, number, _ in mocks.public_security.asked] == [number for number, _ in people]
    found = {people[int(subject)][0] for subject, found in answered(pages).items() if found}
    assert len(answered(pages)) == len(people)
    assert found == {number for number, _ in people if mocks.world.resident(number)}
    assert 0 < len(found) < len(people)


@pytest.mark.parametrize("size", [7, 100])
def test_the_page_size_changes_nothing(build: Callable[..., PublicSecurity], size: int) -> None:
    """A hundred is more than the service answers about: what it left out comes with the next page."""
    usual, _ = run(build(), "household_member", None, 500)
    other, _ = run(build(page_size=size), "household_member", None, 500)
    assert answered(other) == answered(usual)
    rows = [[bytes(row) for page in pages for row in page.rows.raw] for pages in (usual, other)]
    assert rows[0] == rows[1]
    assert ("CAPPED" in other[0].notes) == (size > public_security.RECORD_CAP)


def test_a_dropped_person_stays_due(build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks) -> None:
    mocks.fault("public_security", "partial", match="Query")
    pages, _ = run(build(), "household_member", None, 500)
    assert pages[0].notes == ("PARTIAL",)
    assert len(answered(pages)) == len(everybody(mocks)) - 1


def test_another_name_is_not_found(build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks) -> None:
    number = next(number for number, _ in everybody(mocks) if mocks.world.resident(number))
    page = build([(number, "司马无名")]).fetch("household_member", None)
    assert [asked.found for asked in page.asked] == [False]
    assert page.rows.decode()[0]["CXJG"] == "2"


def test_with_nobody_due_nothing_is_called(
    build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks, build_ports: Callable[..., Ports]
) -> None:
    before = len(mocks.calls()["public_security"])
    adapter = build()
    page = PublicSecurity(build_ports(), adapter.settings, "360981").fetch("household_member", None)
    assert (page.last, page.unchanged, page.contacted, page.asked) == (True, True, False, ())
    assert len(mocks.calls()["public_security"]) == before


@pytest.mark.parametrize("secret", SECRETS)
def test_nobody_asks_without_an_officer(
    build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks, secret: str
) -> None:
    adapter = build(secrets={name: value for name, value in SECRETS.items() if name != secret})
    with pytest.raises(SourceDenied) as caught:
        adapter.fetch("household_member", None)
    assert secret in str(caught.value)
    assert [probe.ok for probe in adapter.probe()] == [False]
    with pytest.raises(SourceDenied) as caught:
        build(secrets={**SECRETS, secret: "一个别人"}).fetch("household_member", None)
    assert caught.value.code == "AUTH_CONFIG"
    assert mocks.public_security.asked == []


def test_a_spent_quota_is_said(build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks) -> None:
    mocks.public_security.quota = 0
    with pytest.raises(SourceUnavailable) as caught:
        build().fetch("household_member", None)
    assert caught.value.code == "THROTTLED"


HOSTILE = [
    ("somebody else", lambda text: text.replace("no='2'", "no='21'"), "UNASKED"),
    ("nobody in particular", lambda text: text.replace("no='2'", ""), "UNASKED"),
    ("the one before", lambda text: text.replace("no='2'", "no='1'").replace("no='3'", "no='2'"), "UNASKED"),
    (
        "silence",
        lambda text: text.partition("<RECORD")[0].replace("<DATA>", "").replace("JLS", "JL") + "</PACKAGE>",
        "UNANSWERED",
    ),
    ("half a package", lambda text: text[: len(text) // 2], "TRUNCATED"),
    ("a package with a DTD", lambda text: "<!DOCTYPE a SYSTEM 'x'>" + text.partition("?>")[2], "DTD"),
    ("no package", lambda text: "系统正忙，稍等", "ENVELOPE_UNKNOWN"),
    ("another code", lambda text: text.replace("0000", "7777").replace("成功", "未知错误"), "BUSINESS_ERROR"),
]


@pytest.mark.parametrize(("change", "code"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_answer_is_refused(
    build: Callable[..., PublicSecurity],
    mocks: mock_agencies.Mocks,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[str], str],
    code: str,
) -> None:
    answers(monkeypatch, change)
    with pytest.raises(SourceMalformed) as caught:
        build().fetch("household_member", None)
    assert caught.value.code == code
    assert not any(value in str(caught.value) for person in everybody(mocks) for value in person)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("500", SourceUnavailable),
        ("503", SourceUnavailable),
        ("auth500", SourceDenied),
        ("login", SourceMalformed),
        ("truncated", SourceMalformed),
        ("dtd", SourceMalformed),
        ("entities", SourceMalformed),
        ("huge", SourceMalformed),
        ("bomb", SourceMalformed),
    ],
)
def test_a_fault_is_named(
    build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks, fault: str, kind: type[SourceError]
) -> None:
    mocks.fault("public_security", fault, match="Query")
    with pytest.raises(kind):
        build().fetch("household_member", None)


def test_a_recording_replays_and_names_nobody(build: Callable[..., PublicSecurity], mocks: mock_agencies.Mocks) -> None:
    """A name is shorter than other secrets: it is swept all the same."""
    people = everybody(mocks)[:23]
    adapter = build(people)
    recorded = record(PublicSecurity, adapter.ports, adapter.settings, "360981", secrets=SECRETS)
    assert len(recorded.persons) == len(people)
    assert [number for _, number, _ in mocks.public_security.asked] == [number for number, _ in people]
    for check in checks(PublicSecurity, recorded):
        check.run()
    text = msgspec.json.encode(recorded).decode()
    assert not any(name in text for _, name in people)
    assert not any(value in text for value in SECRETS.values())
    assert "PACKAGEHEAD" not in "".join(exchange.sent for exchange in recorded.exchanges)
    assert Scrubber({}, ["司马正"]).sweep("司马正问") == "scrubbed问"


def test_the_request_is_the_agreed_package(
    build: Callable[..., PublicSecurity], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    answer = public_security.PublicSecurity.answer

    def kept(self: Agency, request: Any, twist: str | None) -> Any:
        sent.append(unescape(request.body.decode()))
        return answer(self, request, twist)  # type: ignore[arg-type]

    monkeypatch.setattr(public_security.PublicSecurity, "answer", kept)
    page = build([("360999198001010016", "赵<钱>&{孙}")]).fetch("household_member", None)
    (package,) = [text for text in sent if "<PACKAGE>" in text]
    assert "<JLS>1</JLS>" in package
    assert '<RECORD no="1"><GMSFHM>360999198001010016</GMSFHM><XM>赵&lt;钱&gt;&amp;{孙}</XM></RECORD>' in package
    assert all(f"<{element}>{value}</{element}>" in package for element, value in public_security.OFFICER.items())
    assert page.answer.request == "SOAP QueryPopulation"
