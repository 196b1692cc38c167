#!/usr/bin/env python3
"""Checks a verification report with nothing of Shuqiao's: one file, the standard library and `cryptography`.

    python3 verify_report.py report.pdf --signer signer.pub --headers headers.jsonl

It re-derives everything of docs/proof-format.md and docs/report-format.md from the pinned key and the exported ledger
headers. Exit 0: every fact that claims a proof has one. 1: something does not hold, the first thing is named. 2: wrong usage.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64
SUITE = "intl-1"


class Broken(Exception):
    """What does not hold: a code of docs/proof-format.md §6, and a sentence."""


def sha(data):
    return hashlib.sha256(data).digest()


def framed(*parts):
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def canonical(values):
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def node(left, right):
    return sha(b"\1" + left + right)


def tree(data):
    level = [sha(b"\0" + d) for d in data]
    while len(level) > 1:
        pairs = [node(a, b) for a, b in zip(level[::2], level[1::2])]
        level = pairs + (level[-1:] if len(level) % 2 else [])
    return level[0]


def climb(leaf, index, size, path):
    fn, sn, r = index, size - 1, leaf
    if not 0 <= index < size:
        raise Broken("PATH", "no such leaf")
    for sibling in path:
        if sn == 0:
            raise Broken("PATH", "path too long")
        if fn & 1 or fn == sn:
            r = node(sibling, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Broken("PATH", "path too short")
    return r


class Signer:
    def __init__(self, text):
        kind, _, raw = text.strip().partition(":")
        if kind != "ed25519":
            raise Broken("KEY", "the signer's key must be ed25519:<base64>")
        self.text = text.strip()
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(raw))

    def check(self, purpose, message, signature, code, what):
        try:
            self.key.verify(bytes.fromhex(signature), framed(b"shuqiao/1/signature", purpose.encode(), message))
        except (InvalidSignature, ValueError):
            raise Broken(code, what) from None


def headers(path, signer):
    """Batch id -> receipt, after every block was checked."""
    lines = [json.loads(line) for line in Path(path).read_text("utf-8").splitlines()]
    top, blocks, previous, known = lines[0], lines[1:], GENESIS, {}
    if int(top["number"]) != len(blocks):
        raise Broken("CHAIN", "blocks are missing at the end")
    for number, b in enumerate(blocks, 1):
        manifest_signature = bytes.fromhex(b["manifest_signature"])
        manifest = b["manifest"].encode()
        parts = [number.to_bytes(8, "big"), *(b[n].encode() for n in ("previous", "at", "batch_id", "signer"))]
        made = sha(framed(b"shuqiao/1/block", *parts, sha(manifest), manifest_signature)).hex()
        if int(b["number"]) != number or b["previous"] != previous or b["hash"] != made or b["signer"] != signer.text:
            raise Broken("CHAIN", f"block {number} does not hold")
        signer.check("block", made.encode(), b["signature"], "CHAIN", f"block {number} is not signed by the pinned key")
        if sha(framed(b"shuqiao/1/batch", SUITE.encode(), manifest)).hex() != b["batch_id"]:
            raise Broken("CHAIN", f"block {number} names another batch than its manifest's")
        known[b["batch_id"]] = {
            "ledger": top["ledger"], "block": str(number), "block_hash": made, "tx": b["batch_id"], "at": b["at"]
        }  # fmt: skip
        previous = made
    if top["hash"] != previous:
        raise Broken("CHAIN", "the head is not the last block")
    if blocks:
        signer.check("head", f"{len(blocks)}:{previous}".encode(), top["signature"], "CHAIN", "the head is not signed")
    return known


def version_root(doc):
    envelope = doc["envelope"]
    own = sha(
        framed(
            b"shuqiao/1/commitment", SUITE.encode(), envelope["schema"].encode(), b"envelope", b"", canonical(envelope)
        )
    )
    named = [("envelope", own), *((g, bytes.fromhex(c)) for g, c in sorted(doc["commitments"].items()))]
    return tree([framed(name.encode(), c) for name, c in named])


def check_proof(doc, signer, known):
    manifest = canonical(doc["manifest"])
    signer.check("manifest", manifest, doc["signature"], "SIGNATURE", "the manifest is not signed by the pinned key")
    for group, shown in doc["disclosed"].items():
        schema = doc["envelope"]["schema"].encode()
        salt = bytes.fromhex(shown["salt"])
        made = sha(
            framed(b"shuqiao/1/commitment", SUITE.encode(), schema, group.encode(), salt, canonical(shown["values"]))
        )
        if doc["commitments"].get(group) != made.hex():
            raise Broken("GROUP", f"group {group} is not what was committed to")
    if any(doc["envelope"][n] != doc["manifest"][n] for n in ("county", "dataset", "schema")):
        raise Broken("ENVELOPE", "the version is of another batch")
    leaf = sha(b"\0" + version_root(doc))
    root = climb(leaf, int(doc["index"]), int(doc["manifest"]["count"]), [bytes.fromhex(p) for p in doc["path"]])
    if root.hex() != doc["manifest"]["root"]:
        raise Broken("ROOT", "envelope and commitments do not lead to the anchored root")
    batch = sha(framed(b"shuqiao/1/batch", SUITE.encode(), manifest)).hex()
    if batch not in known:
        raise Broken("ANCHOR", f"the chain has no batch {batch}")
    if known[batch] != doc["receipt"]:
        raise Broken("RECEIPT", "the chain has the batch elsewhere")


def check_fact(fact, proofs, signer, known):
    doc = proofs[int(fact["proof"])]
    check_proof(doc, signer, known)
    for name in ("handle", "version", "dataset", "county", "channel", "as_of"):
        if doc["envelope"][name] != fact[name]:
            raise Broken("FACT", f"{name} is not the proven one")
    for shown in fact["fields"]:
        values = doc["disclosed"].get(shown["group"], {}).get("values", {})
        if values.get(shown["path"].rpartition(".")[2], ...) != shown["value"]:
            raise Broken("FACT", f"{shown['title']} is not the proven value")


def attached(pdf):
    found = []
    for at in (m.start() for m in re.finditer(rb"/Type\s*/EmbeddedFile\b", pdf)):
        opened = re.compile(rb"stream\r?\n").search(pdf, at)
        head = pdf[pdf.rfind(b"obj", 0, at) : opened.start()]
        length = int(re.search(rb"/Length\s+(\d+)\b(?!\s+\d+\s+R)", head)[1])
        body = pdf[opened.end() : opened.end() + length]
        found.append(zlib.decompress(body) if b"/FlateDecode" in head else body)
    if len(found) != 1:
        raise Broken("REPORT", f"the PDF must carry one file, it carries {len(found)}")
    return found[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--signer", type=Path, required=True)
    parser.add_argument("--headers", type=Path, required=True)
    asked = parser.parse_args()
    data = asked.report.read_bytes()
    try:
        signer = Signer(asked.signer.read_text("ascii"))
        known = headers(asked.headers, signer)
        outer = json.loads(attached(data) if data.startswith(b"%PDF") else data)
        signer.check(
            "report",
            outer["report"].encode(),
            outer["signature"],
            "SIGNATURE",
            "the report is not signed by the pinned key",
        )
        report = json.loads(outer["report"])
        claimed = [f for f in report["facts"] if f["proof"] is not None]
        for fact in claimed:
            try:
                check_fact(fact, report["proofs"], signer, known)
            except Broken as broken:
                raise Broken(broken.args[0], f"fact {fact['id']} ({fact['title']}): {broken.args[1]}") from None
    except Broken as broken:
        sys.exit(f"NOT PROVEN  {broken.args[0]}: {broken.args[1]}")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, zlib.error) as error:
        sys.exit(f"NOT PROVEN  REPORT: not a report ({type(error).__name__})")
    waiting = len(report["facts"]) - len(claimed)
    print(
        f"PROVEN  report {report['number']}: {len(claimed)} facts on the chain, {waiting} not anchored when it was made"
    )


if __name__ == "__main__":
    main()
