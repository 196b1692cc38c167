"""The printed vectors, derived again with nothing but the standard library and `cryptography`, and then by our own code."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from base64 import b64decode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.chain import Receipt
from gateway.proof import INTL, MemberKey, ProofInvalid, PublicKey, Trust, open_keys, verify_document
from tests.proof.vectors import PATHS, make

VECTORS: dict[str, Any] = json.loads(PATHS[INTL].read_text("utf-8"))
BATCH = VECTORS["batch"]
LINES = [json.loads(line) for line in BATCH["payload"].splitlines()]
MANIFEST = json.loads(BATCH["manifest"])


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def framed(*parts: str | bytes) -> bytes:
    raw = [p.encode() if isinstance(p, str) else p for p in parts]
    return b"".join(len(p).to_bytes(4, "big") + p for p in raw)


def text(values: dict[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def tree(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0])
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:]))


def commitment(schema: str, group: str, salt: bytes, canonical: bytes) -> bytes:
    return sha256(framed("shuqiao/1/commitment", "intl-1", schema, group, salt, canonical))


def expansion(key: bytes, version: int, group: str) -> bytes:
    return hmac.digest(key, b"shuqiao/1/group\0" + version.to_bytes(8, "big") + group.encode(), "sha512")


def signed(purpose: str, message: bytes) -> bytes:
    seed = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(BATCH["seed"]))
    return seed.sign(framed("shuqiao/1/signature", purpose, message))


def test_the_code_still_makes_the_printed_vectors() -> None:
    made = make(INTL)
    for key_file in (made["key_file"], printed := copy.deepcopy(VECTORS)["key_file"]):
        # each issue has a fresh ephemeral key
        del key_file["content"], key_file["name"]
    assert made == {**VECTORS, "key_file": printed}


def test_canonical_forms() -> None:
    for vector in VECTORS["canonical"]:
        assert text(vector["values"]).hex() == vector["bytes"]


def test_expansions() -> None:
    for v in VECTORS["expansions"]:
        assert expansion(bytes.fromhex(v["key"]), int(v["version"]), v["group"]).hex() == v["bytes"]


def test_commitments() -> None:
    for v in VECTORS["commitments"]:
        assert commitment(v["schema"], v["group"], bytes.fromhex(v["salt"]), v["text"].encode()).hex() == v["bytes"]


def test_trees() -> None:
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
    assert hashlib.sha256(BATCH["payload"].encode()).hexdigest() == MANIFEST["payload_digest"]
    assert text(MANIFEST).decode() == BATCH["manifest"]
    assert sha256(framed("shuqiao/1/batch", "intl-1", BATCH["manifest"])).hex() == BATCH["batch_id"]
    assert signed("manifest", BATCH["manifest"].encode()).hex() == BATCH["signature"]


def test_every_group_opens_with_its_own_key() -> None:
    opened = 0
    for line, key in zip(LINES[1:], BATCH["keys"], strict=True):
        envelope = line["envelope"]
        for group, sealed in line["groups"].items():
            secret, committed = expansion(bytes.fromhex(key), 1, group), bytes.fromhex(sealed["commitment"])
            associated = framed(envelope["handle"], envelope["version"], group)
            plain = AESGCM(secret[:32]).decrypt(committed[:12], b64decode(sealed["ciphertext"]), associated)
            assert commitment(envelope["schema"], group, secret[32:], plain) == committed
            opened += 1
    assert opened == 20


def test_key_file() -> None:
    vector = VECTORS["key_file"]
    content = bytes.fromhex(vector["content"])
    line, _, sealed = content.partition(b"\n")
    head = json.loads(line)
    private = X25519PrivateKey.from_private_bytes(b64decode(vector["private"].partition(":")[2]))
    public, ephemeral = private.public_key().public_bytes_raw(), b64decode(head["ephemeral"])
    shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    key = HKDF(SHA256(), 32, salt=ephemeral + public, info=b"shuqiao/1/key-file").derive(shared)
    opened = json.loads(AESGCM(key).decrypt(bytes(12), sealed, line))
    assert [{g: b64decode(s).hex() for g, s in one.items()} for one in opened] == vector["opens"]
    assert sha256(framed("shuqiao/1/member", public)).hex()[:32] == vector["member"] == head["member"]
    digest = hashlib.sha256(content).hexdigest()[:32]
    assert vector["name"] == f"keys/{BATCH['batch_id']}/{vector['member']}/000001-{digest}"
    ours = open_keys(MemberKey.parse(vector["private"]), BATCH["batch_id"], content)
    assert [{g: s.hex() for g, s in one.items()} for one in ours] == vector["opens"]


def test_block() -> None:
    v = VECTORS["block"]
    number = int(v["number"]).to_bytes(8, "big")
    anchored = (sha256(BATCH["manifest"].encode()), bytes.fromhex(BATCH["signature"]))
    framing = framed("shuqiao/1/block", number, v["previous"], v["at"], BATCH["batch_id"], BATCH["signer"], *anchored)
    assert sha256(framing).hex() == v["hash"]
    assert signed("block", v["hash"].encode()).hex() == v["signature"]
    assert signed("head", f"{v['number']}:{v['hash']}".encode()).hex() == v["head_signature"]


class Chain:
    def receipt(self, batch_id: str) -> Receipt | None:
        block = VECTORS["block"]
        if batch_id != BATCH["batch_id"]:
            return None
        return Receipt("local", int(block["number"]), block["hash"], batch_id, block["at"])


TRUST = Trust(PublicKey.parse(BATCH["signer"]), Chain())


def test_document() -> None:
    found = verify_document(VECTORS["document"], TRUST)
    assert found.groups == {"holder/0": {"id_no": "360999197001010001", "name": "甲1"}}
    assert found.closed == ("content", "holder/1", "money")


@pytest.mark.parametrize("refused", VECTORS["refused"], ids=lambda r: str(r["code"]))
def test_changed_documents_are_refused_by_name(refused: dict[str, Any]) -> None:
    document = copy.deepcopy(VECTORS["document"])
    *way, last = refused["at"]
    place = document
    for step in way:
        place = place[step]
    place[last] = refused["value"]
    with pytest.raises(ProofInvalid) as failure:
        verify_document(document, TRUST)
    assert failure.value.code == refused["code"]
