"""The printed vectors of gm-1, derived again with the standard library, `cryptography`'s SM4 and another SM2."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from base64 import b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from gmssl import sm2 as oracle

from gateway.chain import Receipt
from gateway.proof import GM, MemberKey, ProofInvalid, PublicKey, Trust, open_keys, verify_document
from tests.proof.test_vectors import framed, text
from tests.proof.vectors import PATHS, make

VECTORS: dict[str, Any] = json.loads(PATHS[GM].read_text("utf-8"))
BATCH = VECTORS["batch"]
LINES = [json.loads(line) for line in BATCH["payload"].splitlines()]
MANIFEST = json.loads(BATCH["manifest"])


def sm3(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def tree(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return sm3(b"\0" + leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sm3(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def commitment(schema: str, group: str, salt: bytes, canonical: bytes) -> bytes:
    return sm3(framed("shuqiao/1/commitment", "gm-1", schema, group, salt, canonical))


def expansion(key: bytes, version: int, group: str) -> bytes:
    message = b"shuqiao/1/group\0" + version.to_bytes(8, "big") + group.encode()
    return b"".join(hmac.digest(key, message + counter, "sm3") for counter in (b"\1", b"\2"))


def opened(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    cipher = Cipher(SM4(key[:16]), modes.GCM(nonce, sealed[-16:])).decryptor()
    cipher.authenticate_additional_data(associated)
    return cipher.update(sealed[:-16]) + cipher.finalize()


def is_signed(purpose: str, message: bytes, signature: str) -> bool:
    key = b64decode(BATCH["signer"].partition(":")[2])
    verifier = oracle.CryptSM2(private_key="", public_key=key[1:].hex(), asn1=True)
    return bool(verifier.verify_with_sm3(signature, framed("shuqiao/1/signature", purpose, message)))


def settled(vectors: dict[str, Any]) -> dict[str, Any]:
    """Without what is random in each making: signatures, what covers them, and the key file."""
    out = copy.deepcopy(vectors)
    for place, member in [
        ("key_file", "content"),
        ("key_file", "name"),
        ("batch", "signature"),
        ("block", "hash"),
        ("block", "signature"),
        ("block", "head_signature"),
        ("document", "signature"),
        ("document", "receipt"),
    ]:
        del out[place][member]
    return out


def test_the_code_still_makes_the_printed_vectors() -> None:
    assert settled(make(GM)) == settled(VECTORS)


def test_expansions_and_commitments() -> None:
    for v in VECTORS["expansions"]:
        assert expansion(bytes.fromhex(v["key"]), int(v["version"]), v["group"]).hex() == v["bytes"]
    for v in VECTORS["commitments"]:
        assert commitment(v["schema"], v["group"], bytes.fromhex(v["salt"]), v["text"].encode()).hex() == v["bytes"]
    for v in VECTORS["trees"]:
        assert tree([bytes.fromhex(leaf) for leaf in v["leaves"]]).hex() == v["root"]


def test_payload_roots_and_batch_id() -> None:
    roots = []
    for line in LINES[1:]:
        schema = line["envelope"]["schema"]
        leaves = [framed("envelope", commitment(schema, "envelope", b"", text(line["envelope"])))]
        leaves += [framed(g, bytes.fromhex(line["groups"][g]["commitment"])) for g in sorted(line["groups"])]
        roots.append(tree(leaves))
    assert [root.hex() for root in roots] == BATCH["roots"]
    assert tree(roots).hex() == MANIFEST["root"]
    assert sm3(BATCH["payload"].encode()).hex() == MANIFEST["payload_digest"]
    assert sm3(framed("shuqiao/1/batch", "gm-1", BATCH["manifest"])).hex() == BATCH["batch_id"]
    assert is_signed("manifest", BATCH["manifest"].encode(), BATCH["signature"])


def test_every_group_opens_with_its_own_key() -> None:
    count = 0
    for line, key in zip(LINES[1:], BATCH["keys"], strict=True):
        envelope = line["envelope"]
        for group, sealed in line["groups"].items():
            secret, committed = expansion(bytes.fromhex(key), 1, group), bytes.fromhex(sealed["commitment"])
            associated = framed(envelope["handle"], envelope["version"], group)
            plain = opened(secret, committed[:12], b64decode(sealed["ciphertext"]), associated)
            assert commitment(envelope["schema"], group, secret[32:], plain) == committed
            count += 1
    assert count == 20


def test_key_file() -> None:
    vector = VECTORS["key_file"]
    content = bytes.fromhex(vector["content"])
    line, _, sealed = content.partition(b"\n")
    head = json.loads(line)
    private = b64decode(vector["private"].removeprefix("sm2-private:"))
    member = MemberKey.parse(vector["private"])
    der = b64decode(head["ephemeral"])
    numbers, at = [], 3
    while at < len(der):  # SEQUENCE (140 bytes) { x, y INTEGER; C3, C2 OCTET STRING }
        size = der[at + 1]
        numbers.append(der[at + 2 : at + 2 + size])
        at += 2 + size
    x, y, c3, c2 = numbers
    raw = b"".join(n.lstrip(b"\0").rjust(32, b"\0") for n in (x, y)) + c3 + c2
    key = oracle.CryptSM2(private_key=private.hex(), public_key=member.public.raw[1:].hex(), mode=1).decrypt(raw)
    granted = json.loads(opened(key, bytes(12), sealed, line))
    assert [{g: b64decode(s).hex() for g, s in one.items()} for one in granted] == vector["opens"]
    assert sm3(framed("shuqiao/1/member", member.public.raw)).hex()[:32] == vector["member"] == head["member"]
    assert vector["name"] == f"keys/{BATCH['batch_id']}/{vector['member']}/000001-{sm3(content).hex()[:32]}"
    ours = open_keys(member, BATCH["batch_id"], content)
    assert [{g: s.hex() for g, s in one.items()} for one in ours] == vector["opens"]


def test_block() -> None:
    v = VECTORS["block"]
    number = int(v["number"]).to_bytes(8, "big")
    anchored = (sm3(BATCH["manifest"].encode()), bytes.fromhex(BATCH["signature"]))
    framing = framed("shuqiao/1/block", number, v["previous"], v["at"], BATCH["batch_id"], BATCH["signer"], *anchored)
    assert sm3(framing).hex() == v["hash"]
    assert is_signed("block", v["hash"].encode(), v["signature"])
    assert is_signed("head", f"{v['number']}:{v['hash']}".encode(), v["head_signature"])


class Chain:
    def receipt(self, batch_id: str) -> Receipt | None:
        block = VECTORS["block"]
        return Receipt("local", int(block["number"]), block["hash"], batch_id, block["at"])


def test_documents_hold_or_are_refused_by_name() -> None:
    trust = Trust(PublicKey.parse(BATCH["signer"]), Chain())
    assert verify_document(VECTORS["document"], trust).closed == ("content", "holder/1", "money")
    for refused in VECTORS["refused"]:
        document = copy.deepcopy(VECTORS["document"])
        *way, last = refused["at"]
        place = document
        for step in way:
            place = place[step]
        place[last] = refused["value"]
        with pytest.raises(ProofInvalid) as failure:
            verify_document(document, trust)
        assert failure.value.code == refused["code"]


def test_signers_of_both_suites_are_pinned_together() -> None:
    earlier = "ed25519:" + "A" * 43 + "="
    pinned = PublicKey.parse(f"{BATCH['signer']}\n{earlier}\n")
    assert pinned.lines == f"{BATCH['signer']}\n{earlier}\n"
    assert pinned.named(earlier) == PublicKey.parse(earlier)
    assert pinned.named("sm2:AAAA") is None
    signature = bytes.fromhex(BATCH["signature"])
    assert pinned.verify("manifest", BATCH["manifest"].encode(), signature)
    assert PublicKey.parse(f"{earlier}\n{BATCH['signer']}").verify("manifest", BATCH["manifest"].encode(), signature)
    assert not PublicKey.parse(earlier).verify("manifest", BATCH["manifest"].encode(), signature)
