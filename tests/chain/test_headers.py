from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from gateway.chain import ChainBroken, ChainUnavailable, Head, HeaderChain, LocalChain
from tests.proof.sample import OTHER_SIGNER, SIGNER, chain_of

BATCHES = chain_of(4)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    chain = LocalChain(tmp_path / "chain.db", SIGNER)
    for batch in BATCHES:
        chain.submit(batch.manifest_bytes, batch.signature)
    path = tmp_path / "headers.jsonl"
    assert chain.export_headers(path) == chain.verify()
    return path


def test_headers_answer_as_the_ledger_does(exported: Path) -> None:
    chain, headers = LocalChain(exported.with_name("chain.db"), SIGNER), HeaderChain(exported, SIGNER.public)
    for batch in BATCHES:
        assert headers.receipt(batch.batch_id) == chain.receipt(batch.batch_id)
        assert headers.read(batch.batch_id) == batch.manifest_bytes
    assert headers.receipt("0" * 64) is None
    assert headers.read("0" * 64) is None
    assert headers.head == chain.verify()
    assert HeaderChain(exported, SIGNER.public, headers.head).head == headers.head


@pytest.mark.parametrize("row", [1, 2, 4])
@pytest.mark.parametrize(
    "member",
    [
        *("number", "previous", "at", "batch_id", "root", "manifest", "manifest_hash"),
        *("manifest_signature", "signer", "hash", "signature"),
    ],
)
def test_a_changed_member_of_any_line_is_named(exported: Path, row: int, member: str) -> None:
    lines = exported.read_bytes().splitlines()
    line = msgspec.json.decode(lines[row], type=dict[str, str])
    assert len(line) == 11
    line[member] = ("0" if line[member][0] != "0" else "1") + line[member][1:]
    lines[row] = msgspec.json.encode(line)
    exported.write_bytes(b"\n".join(lines))
    with pytest.raises(ChainBroken, match=rf"^区块 {row}："):
        HeaderChain(exported, SIGNER.public)


def test_a_missing_line_is_named(exported: Path) -> None:
    lines = exported.read_bytes().splitlines()
    for row in (1, 2, 4):
        exported.write_bytes(b"\n".join(lines[:row] + lines[row + 1 :]))
        with pytest.raises(ChainBroken, match=rf"^区块 {row}：.*缺失"):
            HeaderChain(exported, SIGNER.public)


@pytest.mark.parametrize("member", ["format", "number", "hash", "signature"])
def test_the_first_line_is_signed(exported: Path, member: str) -> None:
    lines = exported.read_bytes().splitlines()
    top = msgspec.json.decode(lines[0], type=dict[str, str])
    top[member] = "3" if member == "number" else "00"
    exported.write_bytes(b"\n".join([msgspec.json.encode(top), *lines[1:]]))
    with pytest.raises(ChainBroken):
        HeaderChain(exported, SIGNER.public)


def test_headers_of_another_signer_are_refused(exported: Path) -> None:
    with pytest.raises(ChainBroken, match=r"^区块 1：签名者"):
        HeaderChain(exported, OTHER_SIGNER.public)


def test_headers_must_hold_what_was_seen_before(exported: Path) -> None:
    with pytest.raises(ChainBroken, match=r"^区块 5：缺失"):
        HeaderChain(exported, SIGNER.public, Head(5, "0" * 64))


@pytest.mark.parametrize("content", [b"", b"{}\n", b"x"])
def test_what_are_no_headers_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "h").write_bytes(content)
    with pytest.raises(ChainBroken):
        HeaderChain(tmp_path / "h", SIGNER.public)
    with pytest.raises(ChainUnavailable):
        HeaderChain(tmp_path / "none", SIGNER.public)


def test_an_unreadable_line_is_named(exported: Path) -> None:
    lines = exported.read_bytes().splitlines()
    exported.write_bytes(b"\n".join([*lines[:2], b"?", *lines[3:]]))
    with pytest.raises(ChainBroken, match=r"^区块 2："):
        HeaderChain(exported, SIGNER.public)
