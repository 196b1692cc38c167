from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from gateway.chain import Receipt
from gateway.proof import OpenBatch, ProofInvalid, Signer, Trust, Verified, verify_document
from tests.proof.sample import GROUPS, OTHER_SIGNER, SIGNER, handle_of, key_of, sealed
from tests.support.suite import SUITE

BATCH = sealed(11)
RECEIPT = Receipt("local", 7, "ab" * 32, BATCH.batch_id, "2026-03-02T02:00:01.000+00:00")


class Chain:
    """A verified chain with one batch on it."""

    def __init__(self, receipt: Receipt | None = RECEIPT, batch_id: str = BATCH.batch_id) -> None:
        self._receipt, self._batch_id = receipt, batch_id

    def receipt(self, batch_id: str) -> Receipt | None:
        return self._receipt if batch_id == self._batch_id else None


def document(index: int = 4, *groups: str) -> dict[str, Any]:
    secrets = {group: SUITE.expand(key_of(index), 1, group) for group in groups}
    return OpenBatch(BATCH.manifest_bytes, BATCH.signature, BATCH.payload).document(index, secrets, RECEIPT)


def verified(doc: dict[str, Any], signer: Signer = SIGNER, chain: Chain | None = None) -> Verified:
    return verify_document(msgspec.json.encode(doc), Trust(signer.public, chain or Chain()))


@pytest.mark.parametrize("index", range(11))
def test_every_version_is_proven_alone(index: int) -> None:
    groups = () if index == 9 else ("content", "money")
    found = verified(document(index, *groups))
    assert found.envelope["handle"] == handle_of(index)
    assert found.groups.keys() == set(groups)
    assert found.closed == (() if index == 9 else ("holder/0", "holder/1"))
    assert (found.ledger, found.block, found.block_hash, found.at) == ("local", 7, "ab" * 32, RECEIPT.at)
    assert found.manifest == BATCH.manifest


def test_one_holder_is_shown_without_the_other() -> None:
    doc = document(4, "holder/0")
    assert verified(doc).groups == {"holder/0": {"name": "甲4", "id_no": "360999197001010004"}}
    assert "乙4" not in str(doc)


def test_a_document_is_read_as_bytes_or_as_a_mapping() -> None:
    doc = document(4, *GROUPS)
    assert verify_document(doc, Trust(SIGNER.public, Chain())) == verified(doc)


Change = Callable[[dict[str, Any]], object]

CHANGES: list[tuple[str, Change]] = [
    ("FORMAT", lambda d: d.update(format="shuqiao-proof/2")),
    ("FORMAT", lambda d: d.pop("path")),
    ("FORMAT", lambda d: d.update(more="1")),
    ("FORMAT", lambda d: d.update(index=4)),
    ("SUITE", lambda d: d["manifest"].update(suite="sm-9")),
    ("MANIFEST", lambda d: d["manifest"].update(puts="11")),
    ("SIGNATURE", lambda d: d["manifest"].update(sealed_at="2026-03-02T10:00:01+08:00")),
    ("SIGNATURE", lambda d: d.update(signature="00" * 64)),
    ("SIGNATURE", lambda d: d.update(signature="zz")),
    ("ENVELOPE", lambda d: d["envelope"].update(county="360982")),
    ("ENVELOPE", lambda d: d["envelope"].pop("period")),
    ("GROUP", lambda d: d["disclosed"]["money"]["values"].update(amount="5.00")),
    ("GROUP", lambda d: d["disclosed"]["money"].update(salt="00" * 32)),
    ("GROUP", lambda d: d["disclosed"]["money"].update(salt="")),
    ("GROUP", lambda d: d["disclosed"].update(extra=d["disclosed"]["money"])),
    ("GROUP", lambda d: d["commitments"].update(money="00" * 32)),
    ("GROUP", lambda d: d["commitments"].update({"holder/0": "AB" * 32})),
    ("GROUP", lambda d: d["commitments"].update(envelope="00" * 32)),
    ("ROOT", lambda d: d["commitments"].update({"holder/0": "00" * 32})),
    ("ROOT", lambda d: d["commitments"].pop("holder/0")),
    ("ROOT", lambda d: d["commitments"].update({"holder/2": d["commitments"].pop("holder/1")})),
    ("ROOT", lambda d: d["envelope"].update(as_of="2026-03-01T08:00:01+08:00")),
    ("ROOT", lambda d: d["envelope"].update(handle="a" * 32)),
    ("ROOT", lambda d: d.update(index="5")),
    ("ROOT", lambda d: d["path"].__setitem__(0, "00" * 32)),
    ("PATH", lambda d: d.update(index="11")),
    ("PATH", lambda d: d.update(index="-1")),
    ("PATH", lambda d: d["path"].pop()),
    ("PATH", lambda d: d["path"].append("00" * 32)),
    ("PATH", lambda d: d["path"].__setitem__(0, "00")),
    ("RECEIPT", lambda d: d["receipt"].update(block="8")),
    ("RECEIPT", lambda d: d["receipt"].update(block_hash="00" * 32)),
    ("RECEIPT", lambda d: d["receipt"].update(ledger="other")),
    ("RECEIPT", lambda d: d["receipt"].update(tx="other")),
    ("RECEIPT", lambda d: d["receipt"].update(at="2020-01-01T00:00:00+00:00")),
]


@pytest.mark.parametrize(("code", "change"), CHANGES, ids=[f"{code}-{i}" for i, (code, _) in enumerate(CHANGES)])
def test_the_first_thing_not_proven_is_named(code: str, change: Change) -> None:
    doc = copy.deepcopy(document(4, "money"))
    verified(doc)
    change(doc)
    with pytest.raises(ProofInvalid) as failure:
        verified(doc)
    assert failure.value.code == code


def test_another_signer_proves_nothing() -> None:
    with pytest.raises(ProofInvalid) as failure:
        verified(document(), OTHER_SIGNER)
    assert failure.value.code == "SIGNATURE"


def test_what_is_not_on_the_chain_is_not_proven() -> None:
    with pytest.raises(ProofInvalid) as failure:
        verified(document(), chain=Chain(None))
    assert failure.value.code == "ANCHOR"
    with pytest.raises(ProofInvalid) as failure:
        verified(document(), chain=Chain(replace(RECEIPT, block=9)))
    assert failure.value.code == "RECEIPT"


def test_no_proof_is_made_with_a_wrong_key_or_of_no_version() -> None:
    batch = OpenBatch(BATCH.manifest_bytes, BATCH.signature, BATCH.payload)
    with pytest.raises(ProofInvalid, match="money"):
        batch.document(4, {"money": bytes(64)}, RECEIPT)
    for index in (11, -1):
        with pytest.raises(IndexError):
            batch.document(index, {}, RECEIPT)
