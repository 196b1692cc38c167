"""A member stands alone: empty environment, our store and vault gone; it verifies everything and opens only its grant."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.proof import MemberKey
from tests.support.house import House, house
from tests.support.suite import SUITE

pytestmark = pytest.mark.sockets
GRANTED = {
    "household_member": {"subject", "household"},
    "marriage": {"act", "party"},
    "payment": {"subject", "content", "money"},
}


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a member has: its key, the pinned signer, exported headers and the shared folder; nothing else is left."""
    with house(tmp_path / "gateway", monkeypatch, households=25) as made:
        made.sync()
        made.gateway.forwarder.forward()
        give(made, tmp_path / "member")
    shutil.rmtree(tmp_path / "gateway")
    return tmp_path / "member"


def give(made: House, folder: Path) -> None:
    folder.mkdir()
    made.gateway.chains["local"].export_headers(folder / "headers.jsonl")
    shutil.copytree(made.gateway.payloads.path, folder / "shared")
    shutil.copy(made.gateway.paths.signer_public, folder / "signer.pub")
    (folder / "bank.key").write_text(made.member_key.text, "ascii")


def verify(folder: Path, *more: str, key: str = "bank.key") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "member", "verify", "--json", "--key", folder / key]
    command += ["--signer", folder / "signer.pub", "--headers", folder / "headers.jsonl", "--shared", folder / "shared"]
    return subprocess.run([*command, *more], env={}, capture_output=True, text=True, check=False)


def test_it_verifies_everything_and_opens_its_grant(alone: Path) -> None:
    done = verify(alone, "--out", str(alone / "opened.jsonl"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["problems"] == []
    assert report["groups_opened"] > 0 < report["groups_closed"]
    opened: dict[str, set[str]] = {}
    for line in (alone / "opened.jsonl").read_text("utf-8").splitlines():
        version = json.loads(line)
        groups = opened.setdefault(version["envelope"]["dataset"], set())
        groups |= {g.partition("/")[0] for g in version["groups"]}
    assert {d: opened[d] for d in GRANTED} == GRANTED
    assert not opened.get("assistance")


def test_another_key_opens_nothing(alone: Path) -> None:
    (alone / "other.key").write_text(MemberKey.new(SUITE).text, "ascii")
    report = json.loads(verify(alone, key="other.key").stdout)
    assert report["groups_opened"] == 0 < report["groups_closed"]


def test_another_signer_is_not_believed(alone: Path) -> None:
    from gateway.proof import Signer

    (alone / "signer.pub").write_text(Signer(bytes([1]) * 32, SUITE.signing).public_text, "ascii")
    assert verify(alone).returncode == 1


def test_a_payload_that_was_touched_or_taken_is_named(alone: Path) -> None:
    first, second, *_ = sorted((alone / "shared" / "payloads").iterdir())
    first.write_bytes(first.read_bytes()[:-2] + b"x\n")
    second.unlink()
    done = verify(alone)
    assert done.returncode == 1
    assert sorted(p["code"] for p in json.loads(done.stdout)["problems"]) == ["PAYLOAD_ALTERED", "PAYLOAD_MISSING"]
