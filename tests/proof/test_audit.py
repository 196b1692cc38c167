from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from gateway.audit import GENESIS, Action, Actor, AuditEntry, NotAllowed, PersonalData, entry, verify_chain
from tests.proof.sample import handle_of

AT = "2026-03-02T10:00:00+08:00"
WHO = Actor.person("张科长")


def log(count: int = 5) -> list[AuditEntry]:
    out: list[AuditEntry] = []
    for seq in range(1, count + 1):
        previous = out[-1].hash if out else GENESIS
        out.append(entry(previous, seq, AT, WHO, Action.SYNC, "360981/homestead", {"run": seq, "state": "ok"}))
    return out


def test_an_undisturbed_log_holds() -> None:
    assert verify_chain(log()) is None
    assert verify_chain([]) is None


OTHER: dict[str, Any] = {
    "seq": 9,
    "at": "2026-03-02T10:00:01+08:00",
    "actor": Actor.person("李科长"),
    "action": Action.UNMASK,
    "target": "360981/marriage",
    "detail": {"run": 99},
    "previous": "0" * 64,
    "hash": "0" * 64,
}


@pytest.mark.parametrize("name", [f.name for f in fields(AuditEntry)])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_changed_column_breaks_the_log_there(name: str, at: int) -> None:
    entries = log()
    entries[at] = replace(entries[at], **{name: OTHER[name]})
    assert verify_chain(entries) == at + 1


def test_a_rewritten_entry_breaks_the_next() -> None:
    entries = log()
    entries[2] = entry(entries[1].hash, 3, AT, WHO, Action.SYNC, "", {})
    assert verify_chain(entries) == 4


def test_a_gap_in_the_numbers_is_noticed() -> None:
    entries = log(2)
    assert verify_chain([*entries, entry(entries[1].hash, 4, AT, WHO, Action.SYNC, "", {})]) == 3


def test_a_removed_or_swapped_entry_is_noticed() -> None:
    entries = log()
    assert verify_chain(entries[1:]) == 1
    assert verify_chain(entries[:2] + entries[3:]) == 3
    assert verify_chain([entries[1], entries[0]]) == 1


PERSONAL = [
    "360999197001010018",
    "36099919700101001X",
    "360999700101001",
    "13800000000",
    "6222000000000000000",
    "张三",
    "a\nb",
]


@pytest.mark.parametrize("value", PERSONAL)
def test_personal_data_never_enters(value: str) -> None:
    for target, detail in ((value, {}), ("x " + value, {}), ("", {"note": value})):
        with pytest.raises(PersonalData) as failure:
            entry(GENESIS, 1, AT, WHO, Action.TRACE, target, detail)
        assert value not in str(failure.value)


@pytest.mark.parametrize(
    "detail",
    [{"phone": 13800000000}, {"x": 1.5}, {"x": None}, {"x": ["a"]}, {"x": "a" * 129}, {"张": "a"}, {"X": "a"}],
)
def test_details_are_counts_and_codes(detail: Any) -> None:
    with pytest.raises(PersonalData):
        entry(GENESIS, 1, AT, WHO, Action.TRACE, "", detail)


@pytest.mark.parametrize(
    "target", [handle_of(1), "0" * 64, "1234567890123450" * 4, "/api/v1/status", "360981/homestead 360981/marriage", AT]
)
def test_handles_hashes_feeds_and_times_are_welcome(target: str) -> None:
    made = entry(GENESIS, 1, AT, WHO, Action.TRACE, target, {"rows": 3, "full": True, "state": target[:64]})
    assert verify_chain([made]) is None


def test_actors_are_written_and_read() -> None:
    for actor in (WHO, Actor.api("loopback"), Actor.scheduler(), Actor.system(), Actor.person("_apt")):
        assert Actor.parse(str(actor)) == actor
    with pytest.raises(ValueError, match="robot"):
        Actor.parse("robot:x")
    for name in ("", "360999197001010018", "a\nb", "x" * 65):
        with pytest.raises(PersonalData):
            Actor.person(name)


def test_a_refusal_is_a_sentence() -> None:
    assert str(NotAllowed(WHO, Action.UNMASK)) == "person:张科长 无权执行 unmask"
