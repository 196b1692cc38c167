#!/usr/bin/env python3
"""Checks a verification report with nothing of Shuqiao's: one file, the standard library and `cryptography`.

Reports of suite gm-1 need Python's hashlib to know SM3 (OpenSSL 1.1.1 and later does); SM2 is checked here, slowly.

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
EVM = "shuqiao-evm-headers/1"
HASHES = {"intl-1": "sha256", "gm-1": "sm3"}
ID = b"1234567812345678"

# sm2p256v1 (GB/T 32918.5)
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


class Broken(Exception):
    """What does not hold: a code of docs/proof-format.md §6, and a sentence."""


class Suite:
    """The hash and the framing of one suite."""

    def __init__(self, name):
        if name not in HASHES:
            raise Broken("SUITE", f"the suite {name} is unknown")
        self.name = name.encode()

    def hash(self, data):
        return hashlib.new(HASHES[self.name.decode()], data).digest()

    def node(self, left, right):
        return self.hash(b"\1" + left + right)

    def tree(self, data):
        level = [self.hash(b"\0" + d) for d in data]
        while len(level) > 1:
            pairs = [self.node(a, b) for a, b in zip(level[::2], level[1::2])]
            level = pairs + (level[-1:] if len(level) % 2 else [])
        return level[0]

    def commitment(self, schema, group, salt, values):
        return self.hash(framed(b"shuqiao/1/commitment", self.name, schema.encode(), group, salt, canonical(values)))

    def batch_id(self, manifest):
        return self.hash(framed(b"shuqiao/1/batch", self.name, manifest)).hex()


def framed(*parts):
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def canonical(values):
    return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def climb(node, leaf, index, size, path):
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


def add(a, b):
    """Of two points of the curve; None is the point at infinity."""
    if a is None or b is None:
        return a or b
    (x, y), (u, v) = a, b
    if x == u and (y + v) % P == 0:
        return None
    slope = (3 * x * x + A) * pow(2 * y, -1, P) if a == b else (v - y) * pow(u - x, -1, P)
    w = (slope * slope - x - u) % P
    return w, (slope * (x - w) - y) % P


def times(k, point):
    out = None
    while k:
        out, point, k = add(out, point) if k & 1 else out, add(point, point), k >> 1
    return out


def integers(der):
    """The two integers of a DER sequence."""
    if len(der) < 8 or der[0] != 0x30 or der[1] != len(der) - 2:
        raise ValueError("no signature")
    out, rest = [], der[2:]
    while rest:
        if rest[0] != 2 or not 0 < rest[1] <= len(rest) - 2:
            raise ValueError("no signature")
        out.append(int.from_bytes(rest[2 : 2 + rest[1]], "big"))
        rest = rest[2 + rest[1] :]
    r, s = out
    return r, s


class Sm2:
    """GB/T 32918.2, verification."""

    def __init__(self, raw):
        self.point = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
        x, y = self.point
        if len(raw) != 65 or raw[0] != 4 or max(x, y) >= P or (y * y - x * x * x - A * x - B) % P:
            raise ValueError("no point of the curve")
        sizes = (n.to_bytes(32, "big") for n in (A, B, *G, *self.point))
        self.za = self.sm3((len(ID) * 8).to_bytes(2, "big") + ID + b"".join(sizes))

    @staticmethod
    def sm3(data):
        return hashlib.new("sm3", data).digest()

    def verify(self, signature, message):
        r, s = integers(signature)
        e = int.from_bytes(self.sm3(self.za + message), "big")
        t = (r + s) % N
        point = add(times(s, G), times(t, self.point)) if 0 < r < N and 0 < s < N and t else None
        if point is None or (e + point[0]) % N != r:
            raise InvalidSignature


KINDS = {"ed25519": Ed25519PublicKey.from_public_bytes, "sm2": Sm2}


class Signer:
    """The pinned keys: a gateway that changed its suite has signed with several, one on each line."""

    def __init__(self, text):
        self.keys = {}
        for line in text.split():
            kind, _, raw = line.partition(":")
            if kind not in KINDS:
                raise Broken("KEY", "the signer's key must be ed25519:<base64> or sm2:<base64>")
            self.keys[line] = KINDS[kind](base64.b64decode(raw))

    def check(self, purpose, message, signature, code, what, key=None):
        preimage = framed(b"shuqiao/1/signature", purpose.encode(), message)
        for one in [self.keys[key]] if key else self.keys.values():
            try:
                return one.verify(bytes.fromhex(signature), preimage)
            except (InvalidSignature, ValueError):
                continue
        raise Broken(code, what)


def headers(path, signer):
    """Batch id -> receipt, after every block was checked; of the embedded ledger or of a consortium chain."""
    first, _, body = Path(path).read_bytes().partition(b"\n")
    top, blocks = json.loads(first), [json.loads(line) for line in body.splitlines()]
    return consortium(top, blocks, body, signer) if top["format"] == EVM else embedded(top, blocks, signer)


def consortium(top, batches, body, signer):
    """Who fetched the file from a node left it unsigned; every manifest in it is signed all the same."""
    if hashlib.sha256(body).hexdigest() != top["digest"] or int(top["count"]) != len(batches):
        raise Broken("CHAIN", "the lines are not those that the first one tells of")
    told = framed(*(top[n].encode() for n in ("ledger", "count", "number", "hash", "digest")))
    if top["signature"]:
        signer.check("headers", told, top["signature"], "CHAIN", "the first line is not signed by the pinned key")
    known = {}
    for b in batches:
        manifest = b["manifest"].encode()
        unsigned = f"the batch in block {b['number']} is not signed by the pinned key"
        signer.check("manifest", manifest, b["manifest_signature"], "CHAIN", unsigned)
        said = json.loads(manifest)
        if Suite(said["suite"]).batch_id(manifest) != b["batch_id"] or said["root"] != b["root"]:
            raise Broken("CHAIN", f"block {b['number']} names another batch than its manifest's")
        known[b["batch_id"]] = {
            "ledger": top["ledger"], "block": b["number"], "block_hash": b["hash"], "tx": b["tx"], "at": b["at"]
        }  # fmt: skip
    return known


def embedded(top, blocks, signer):
    """Every block follows on the one before, and the pinned key signed each and the newest."""
    previous, known = GENESIS, {}
    if int(top["number"]) != len(blocks):
        raise Broken("CHAIN", "blocks are missing at the end")
    for number, b in enumerate(blocks, 1):
        manifest_signature = bytes.fromhex(b["manifest_signature"])
        manifest = b["manifest"].encode()
        parts = [number.to_bytes(8, "big"), *(b[n].encode() for n in ("previous", "at", "batch_id", "signer"))]
        suite = Suite(json.loads(manifest)["suite"])
        made = suite.hash(framed(b"shuqiao/1/block", *parts, suite.hash(manifest), manifest_signature)).hex()
        linked = int(b["number"]) == number and b["previous"] == previous
        if not linked or b["hash"] != made or b["signer"] not in signer.keys:
            raise Broken("CHAIN", f"block {number} does not hold")
        unsigned = f"block {number} is not signed by the pinned key"
        signer.check("block", made.encode(), b["signature"], "CHAIN", unsigned, b["signer"])
        if suite.batch_id(manifest) != b["batch_id"]:
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


def version_root(suite, doc):
    envelope = doc["envelope"]
    own = suite.commitment(envelope["schema"], b"envelope", b"", envelope)
    named = [("envelope", own), *((g, bytes.fromhex(c)) for g, c in sorted(doc["commitments"].items()))]
    return suite.tree([framed(name.encode(), c) for name, c in named])


def check_proof(doc, signer, known):
    manifest, suite = canonical(doc["manifest"]), Suite(doc["manifest"]["suite"])
    signer.check("manifest", manifest, doc["signature"], "SIGNATURE", "the manifest is not signed by the pinned key")
    for group, shown in doc["disclosed"].items():
        salt = bytes.fromhex(shown["salt"])
        made = suite.commitment(doc["envelope"]["schema"], group.encode(), salt, shown["values"])
        if doc["commitments"].get(group) != made.hex():
            raise Broken("GROUP", f"group {group} is not what was committed to")
    if any(doc["envelope"][n] != doc["manifest"][n] for n in ("county", "dataset", "schema")):
        raise Broken("ENVELOPE", "the version is of another batch")
    leaf = suite.hash(b"\0" + version_root(suite, doc))
    root = climb(
        suite.node, leaf, int(doc["index"]), int(doc["manifest"]["count"]), [bytes.fromhex(p) for p in doc["path"]]
    )
    if root.hex() != doc["manifest"]["root"]:
        raise Broken("ROOT", "envelope and commitments do not lead to the anchored root")
    batch = suite.batch_id(manifest)
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
