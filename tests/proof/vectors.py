"""Makes the printed vectors of both suites: `python -m tests.proof.vectors`. Only a new version of the format may change them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.chain import Receipt
from gateway.chain.base import Head
from gateway.chain.blocks import GENESIS, forge, sign_head
from gateway.proof import GM, INTL, MemberKey, OpenBatch, Signer, Suite, canonical, commit, issue_keys, merkle
from tests.proof.sample import envelope, key_of, sealed, secrets_of, statements

DOCS: Final = Path(__file__).parents[2] / "docs"
PATHS: Final = {INTL: DOCS / "proof-vectors.json", GM: DOCS / "proof-vectors-gm-1.json"}
SIZE: Final = 5
SHOWN: Final = 1
AT: Final = "2026-03-02T02:00:01.000+00:00"
SEED: Final = bytes(range(32))
CANONICAL: Final[list[dict[str, str | None]]] = [
    {},
    {"b": "1", "a": None},
    {"甲": "数桥", "a": 'quote " slash / back \\ tab \t nul \x00 del \x7f', "Z": "𠮷"},
]
TREES: Final = [["00"], ["00", "01"], ["00", "01", "02"], ["00", "01", "02", "03", "04", "05", "06"]]


def make(suite: Suite) -> dict[str, Any]:
    signer, member = Signer(SEED, suite.signing), MemberKey(bytes(range(64, 96)), suite.agreement)
    batch = sealed(SIZE, signer=signer, suite=suite)
    block = forge(
        signer,
        Head(0, GENESIS),
        at=AT,
        batch_id=batch.batch_id,
        manifest=batch.manifest_bytes,
        signature=batch.signature,
    )
    receipt: Receipt = block.receipt("local")
    secrets = {"holder/0": suite.expand(key_of(SHOWN), 1, "holder/0")}
    granted = secrets_of(statements(SIZE), "money", suite=suite)
    file = issue_keys(batch.batch_id, member.public, granted)
    salt = secrets["holder/0"][32:]
    return {
        "format": "shuqiao-proof-vectors/1",
        "suite": suite.name,
        "canonical": [{"values": v, "bytes": canonical(v).hex()} for v in CANONICAL],
        "expansions": [
            {"key": key_of(n).hex(), "version": str(v), "group": g, "bytes": suite.expand(key_of(n), v, g).hex()}
            for n, v, g in [(0, 1, "subject"), (0, 2, "subject"), (1, 1, "holder/0"), (1, 2**40, "")]
        ],
        "commitments": [
            {"schema": s, "group": g, "salt": b.hex(), "text": t, "bytes": commit(suite, s, g, b, t.encode()).hex()}
            for s, g, b, t in [
                ("homestead/1", "holder/0", salt, '{"name":"甲"}'),
                ("homestead/2", "holder/0", salt, '{"name":"甲"}'),
                ("homestead/1", "envelope", b"", canonical(envelope(1)).decode()),
            ]
        ],
        "trees": [_tree(suite, [bytes.fromhex(leaf) for leaf in leaves]) for leaves in TREES],
        "batch": {
            "seed": SEED.hex(),
            "signer": signer.public_text,
            "keys": [s.key.hex() if s.key else None for s in statements(SIZE)],
            "payload": batch.payload.decode(),
            "manifest": batch.manifest_bytes.decode(),
            "signature": batch.signature.hex(),
            "batch_id": batch.batch_id,
            "roots": [root.hex() for root in batch.roots],
        },
        "key_file": {
            "private": member.text,
            "member": member.public.id,
            "name": file.name,
            "content": file.content.hex(),
            "opens": [{g: secret.hex() for g, secret in one.items()} for one in granted],
        },
        "block": {
            "number": str(block.number),
            "previous": block.previous,
            "at": block.at,
            "hash": block.hash,
            "signature": block.signature.hex(),
            "head_signature": sign_head(signer, Head(block.number, block.hash)).signature.hex(),
        },
        "document": OpenBatch(batch.manifest_bytes, batch.signature, batch.payload).document(SHOWN, secrets, receipt),
        "refused": [
            {"code": code, "at": at, "value": value}
            for code, at, value in [
                ("FORMAT", ["format"], "shuqiao-proof/9"),
                ("SUITE", ["manifest", "suite"], "none"),
                ("MANIFEST", ["manifest", "count"], "6"),
                ("SIGNATURE", ["manifest", "period"], "2026-03"),
                ("ENVELOPE", ["envelope", "op"], "get"),
                ("GROUP", ["disclosed", "holder/0", "values", "name"], "乙"),
                ("ROOT", ["commitments", "money"], "00" * 32),
                ("PATH", ["index"], str(SIZE)),
                ("RECEIPT", ["receipt", "block"], "2"),
            ]
        ],
    }


def _tree(suite: Suite, data: list[bytes]) -> dict[str, Any]:
    leaves = [merkle.leaf_hash(suite.hash, d) for d in data]
    paths = [[p.hex() for p in merkle.path(merkle.levels(suite.hash, leaves), i)] for i in range(len(leaves))]
    return {"leaves": [d.hex() for d in data], "root": merkle.root(suite.hash, leaves).hex(), "paths": paths}


if __name__ == "__main__":
    for made_with, path in PATHS.items():
        path.write_bytes(msgspec.json.format(msgspec.json.encode(make(made_with)), indent=1) + b"\n")
