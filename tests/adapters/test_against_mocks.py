"""Every adapter against the mock agencies, end to end, with every fault they can be given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import mock_agencies
from adapters.kit import (
    Adapter,
    Http,
    Page,
    Ports,
    SourceDenied,
    SourceError,
    SourceMalformed,
    SourceUnavailable,
    registry,
)
from adapters.kit.recording import run

pytestmark = pytest.mark.sockets

SECRETS = {
    "provincial": {"app_key": "demo-app-key-360981"},
    "real_estate": {"token": "demo-real-estate-token"},
    "civil": {"app_id": "demo-civil", "app_secret": "demo-civil-secret"},
    "agriculture": {"app_key": "demo-agriculture-key", "app_secret": "demo-agriculture-secret"},
    "natural_resources": {"paasid": "demo-natural-resources", "token": "demo-natural-resources-token"},
}
STREAMS = [
    ("provincial", "household_member", {}),
    ("provincial", "payment", {}),
    ("real_estate", "homestead", {"form": "list"}),
    ("real_estate", "homestead", {"form": "xml"}),
    ("civil", "marriage", {}),
    ("civil", "assistance", {}),
    ("agriculture", "subsidy", {}),
    ("agriculture", "contracted_land", {}),
    ("agriculture", "agri_entity", {}),
    ("natural_resources", "homestead_approval", {}),
]
PAGED = [stream for stream in STREAMS if stream[1] != "payment"]
AGENCIES = [STREAMS[0], STREAMS[2], STREAMS[3], STREAMS[4], STREAMS[7], STREAMS[9]]
LISTS = {"assistance", "agri_entity"}
"""Read in full each time."""


@dataclass
class Desk:
    mocks: mock_agencies.Mocks
    ports: Callable[..., Ports]
    http: Http

    def adapter(self, agency: str, *, probed: bool = True, **settings: Any) -> Adapter:
        url = self.mocks.urls[agency]
        name, where = {
            "provincial": (
                "provincial_exchange",
                {"base_url": url, "rid": "demo-rid@36", "payments_from": "2025-12-01"},
            ),
            "real_estate": ("real_estate", {"wsdl": f"{url}/services/RealEstate?wsdl"}),
            "civil": ("civil_affairs", {"base_url": url}),
            "agriculture": ("agriculture", {"base_url": url}),
            "natural_resources": ("natural_resources", {"base_url": url}),
        }[agency]
        ports = self.ports(
            self.http,
            SECRETS[agency],
            now=lambda: datetime.now(UTC),
            today=lambda: date.fromisoformat(str(self.mocks.world.today)),
        )
        kind = registry.find(name)
        adapter = kind(ports, kind.Settings.model_validate({**where, **settings}), "360981")
        if probed:
            assert all(layer.ok for layer in adapter.probe())
        return adapter


@pytest.fixture(scope="module")
def mocks() -> Iterator[mock_agencies.Mocks]:
    with mock_agencies.start(households=60, dirt=0.1, seed=3) as running:
        yield running


@pytest.fixture
def desk(mocks: mock_agencies.Mocks, http: Http, build_ports: Callable[..., Ports]) -> Iterator[Desk]:
    mocks.clear_faults()
    yield Desk(mocks, build_ports, http)
    mocks.clear_faults()


def fault(desk: Desk, agency: str, name: str, times: int = 1) -> None:
    desk.mocks.fault(agency, name, times=times)


def rows(pages: list[Page]) -> list[bytes]:
    return [bytes(row) for page in pages for row in page.rows.raw]


def refused(adapter: Adapter, dataset: str, kind: type[SourceError]) -> SourceError:
    with pytest.raises(kind) as caught:
        adapter.fetch(dataset, None)
    return caught.value


@pytest.mark.parametrize(("agency", "dataset", "settings"), STREAMS)
def test_everything_an_agency_serves_arrives(
    desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any]
) -> None:
    pages, cursor = run(desk.adapter(agency, page_size=30, **settings), dataset, None, 500)
    served = desk.mocks.truth(dataset)
    assert len(rows(pages)) == len(served) > 5
    declared = pages[-1].declared
    assert declared in {None, len(served)}
    again, resting = run(desk.adapter(agency, page_size=30, **settings), dataset, cursor, 500)
    assert resting == cursor
    assert set(rows(again)) <= set(rows(pages))


@pytest.mark.parametrize(("agency", "dataset", "settings"), STREAMS)
@pytest.mark.parametrize("size", [7, 500])
def test_the_page_size_changes_nothing(
    desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any], size: int
) -> None:
    wide, _ = run(desk.adapter(agency, **settings), dataset, None, 500)
    narrow, _ = run(desk.adapter(agency, page_size=size, **settings), dataset, None, 500)
    assert rows(narrow) == rows(wide)


FAULTS = [
    ("stall", SourceUnavailable, "NETWORK", "NETWORK"),
    ("slow", SourceUnavailable, "NETWORK", "NETWORK"),
    ("500", SourceUnavailable, "SOURCE_5XX", "SOURCE_5XX"),
    ("503", SourceUnavailable, "SOURCE_5XX", "SOURCE_5XX"),
    ("auth500", SourceDenied, "AUTH_CONFIG", "AUTH_CONFIG"),
    ("login", SourceMalformed, "LOGIN_PAGE", "LOGIN_PAGE"),
    ("truncated", SourceMalformed, "TRUNCATED", "TRUNCATED"),
    ("dtd", SourceMalformed, "NON_JSON", "DTD"),
    ("entities", SourceMalformed, "NON_JSON", "DTD"),
    ("huge", SourceMalformed, "TOO_LARGE", "TOO_LARGE"),
    ("bomb", SourceMalformed, "TOO_LARGE", "TOO_LARGE"),
]


@pytest.mark.parametrize(("agency", "dataset", "settings"), AGENCIES)
@pytest.mark.parametrize(("name", "kind", "as_json", "as_xml"), FAULTS, ids=[name for name, *_ in FAULTS])
def test_a_fault_is_named_and_costs_little(
    desk: Desk,
    agency: str,
    dataset: str,
    settings: Mapping[str, Any],
    name: str,
    kind: type[SourceError],
    as_json: str,
    as_xml: str,
) -> None:
    deadline = 0.5 if name in {"stall", "slow"} else 20
    adapter = desk.adapter(agency, deadline=deadline, **settings)
    fault(desk, agency, name)
    before = Memory()
    error = refused(adapter, dataset, kind)
    assert error.code == (as_xml if agency == "real_estate" else as_json)
    assert before.grown() < 64 << 20
    if name == "503":
        assert isinstance(error, SourceUnavailable)
        assert error.retry_after == 7.0
    for secret in SECRETS[agency].values():
        assert secret not in str(error)


class Memory:
    """How far the resident peak rises from here (Linux counts it anew on request)."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        self._resting = self._peak()

    @staticmethod
    def _peak() -> int:
        status = Path("/proc/self/status").read_text("ascii")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def grown(self) -> int:
        return self._peak() - self._resting


@pytest.mark.parametrize(("agency", "dataset", "settings"), PAGED)
def test_a_page_given_again_is_noticed(desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any]) -> None:
    adapter = desk.adapter(agency, page_size=4, **settings)
    cursor = adapter.fetch(dataset, None).after(None)
    fault(desk, agency, "repeat")
    with pytest.raises(SourceMalformed) as caught:
        adapter.fetch(dataset, cursor)
    assert caught.value.code == "REPEATED_PAGE"
    assert adapter.fetch(dataset, cursor).rows.raw


@pytest.mark.parametrize(("agency", "dataset", "settings"), PAGED)
@pytest.mark.parametrize("times", [1, 0])
def test_a_silent_cap_loses_nothing(
    desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any], times: int
) -> None:
    whole, _ = run(desk.adapter(agency, **settings), dataset, None, 500)
    adapter = desk.adapter(agency, **settings)
    fault(desk, agency, "capped", times)
    pages, _ = run(adapter, dataset, None, 500)
    assert set(rows(pages)) == set(rows(whole))
    assert any("CAPPED" in page.notes for page in pages) == (len(rows(whole)) > 50)


@pytest.mark.parametrize(("agency", "dataset", "settings"), PAGED)
def test_a_slice_that_shifts_while_it_is_read_loses_nothing(
    desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any]
) -> None:
    whole, _ = run(desk.adapter(agency, **settings), dataset, None, 500)
    adapter = desk.adapter(agency, page_size=20, **settings)
    fault(desk, agency, "shift", 0)
    pages, _ = run(adapter, dataset, None, 500)
    assert set(rows(pages)) == set(rows(whole))


@pytest.mark.parametrize(("agency", "dataset", "settings"), PAGED)
def test_a_dropped_row_is_noted_and_read_again(
    desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any]
) -> None:
    adapter = desk.adapter(agency, page_size=10, **settings)
    fault(desk, agency, "partial")
    pages, _ = run(adapter, dataset, None, 500)
    assert pages[0].notes == ("PARTIAL",)
    whole = len(desk.mocks.truth(dataset))
    assert len(rows(pages)) == whole - 1 if len(pages) == 1 else len(set(rows(pages))) <= whole
    if whole > 10:
        assert set(rows(pages)) == set(rows(run(desk.adapter(agency, **settings), dataset, None, 500)[0]))


def test_an_expired_secret_is_renewed_on_the_way(desk: Desk) -> None:
    adapter = desk.adapter("provincial")
    before = len(adapter.fetch("household_member", None).rows.raw)
    desk.mocks.expire_secret()
    assert len(adapter.fetch("household_member", None).rows.raw) == before


@pytest.mark.parametrize("refresh", [False, True])
def test_an_expired_pair_is_renewed_on_the_way(desk: Desk, refresh: bool) -> None:
    adapter = desk.adapter("agriculture")
    before = len(adapter.fetch("subsidy", None).rows.raw)
    desk.mocks.expire_request_secret(refresh=refresh)
    assert len(adapter.fetch("subsidy", None).rows.raw) == before > 0


def test_a_forgotten_token_is_renewed_on_the_way(desk: Desk) -> None:
    adapter = desk.adapter("civil")
    before = len(adapter.fetch("marriage", None).rows.raw)
    desk.mocks.forget_tokens()
    assert len(adapter.fetch("marriage", None).rows.raw) == before


@pytest.mark.parametrize(("agency", "dataset", "settings"), AGENCIES)
def test_a_wrong_secret_is_denied(
    desk: Desk, agency: str, dataset: str, settings: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECRETS, agency, dict.fromkeys(SECRETS[agency], "a-wrong-secret"))
    refused(desk.adapter(agency, probed=False, **settings), dataset, SourceDenied)


@pytest.mark.parametrize(("agency", "dataset", "settings"), [stream for stream in STREAMS if stream[1] not in LISTS])
def test_a_day_later_only_what_changed_is_read(
    http: Http, build_ports: Callable[..., Ports], agency: str, dataset: str, settings: Mapping[str, Any]
) -> None:
    with mock_agencies.start(households=60, dirt=0, seed=3) as running:
        desk = Desk(running, build_ports, http)
        adapter = desk.adapter(agency, **settings)
        whole, cursor = run(adapter, dataset, None, 500)
        running.advance(3)
        changed, _ = run(adapter, dataset, cursor, 500)
        afresh, _ = run(desk.adapter(agency, **settings), dataset, None, 500)
        assert set(rows(afresh)) <= set(rows(whole)) | set(rows(changed))
        assert len(rows(changed)) < len(rows(whole))
