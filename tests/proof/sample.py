"""Synthetic statements and batches. ID numbers lie in area 360999."""

from __future__ import annotations

import base64
import hashlib

from gateway.proof import BatchOf, SealedBatch, Signer, Statement, Suite, Values, build, canonical
from tests.support.suite import SUITE, signer

SIGNER = signer(bytes(range(32)))
OTHER_SIGNER = signer(bytes(range(32, 64)))
GROUPS = ("content", "holder/0", "holder/1", "money")


def key_of(number: int) -> bytes:
    return hashlib.sha256(f"observation {number}".encode()).digest()


def handle_of(number: int) -> str:
    return base64.b32encode(hashlib.sha256(f"handle {number}".encode()).digest()[:20]).decode().lower()


def envelope(number: int, op: str = "put", version: int = 1) -> Values:
    return {
        "handle": handle_of(number),
        "version": str(version),
        "op": op,
        "dataset": "homestead",
        "schema": "homestead/1",
        "county": "360981",
        "feed": "f00d",
        "channel": "SYSTEM",
        "as_of": "2026-03-01T08:00:00+08:00",
        "evidence": hashlib.sha256(f"answer {number // 100}".encode()).hexdigest() if op == "put" else None,
        "code_versions": "rules-1",
        "period": None,
    }


def statement(number: int) -> Statement:
    """Every tenth is a tombstone."""
    if number % 10 == 9:
        return Statement(envelope(number, "gone", 2), {}, None)
    values: dict[str, Values] = {
        "content": {"unit_no": f"360999{number:022d}", "land_area_m2": f"{number}.50", "right_status": "current"},
        "holder/0": {"name": f"甲{number}", "id_no": f"36099919700101{number % 10000:04d}"},
        "holder/1": {"name": f"乙{number}", "id_no": None},
        "money": {"amount": f"{number}.00"},
    }
    return Statement(envelope(number), {g: canonical(v) for g, v in values.items()}, key_of(number))


def statements(count: int, first: int = 0) -> list[Statement]:
    return [statement(n) for n in range(first, first + count)]


def batch_of(first: int = 1, previous: str | None = None, stream: str = "f00d") -> BatchOf:
    return BatchOf(
        stream=stream,
        county="360981",
        dataset="homestead",
        schema="homestead/1",
        first=first,
        sealed_at="2026-03-02T10:00:00+08:00",
        submitter="宜春市数据局",
        previous=previous,
        terms="赣数共享〔2026〕1号",
    )


def sealed(
    count: int = 12,
    first: int = 1,
    previous: str | None = None,
    *,
    stream: str = "f00d",
    signer: Signer = SIGNER,
    suite: Suite = SUITE,
) -> SealedBatch:
    return build(statements(count, first - 1), batch_of(first, previous, stream), signer, suite)


def chain_of(batches: int, size: int = 3, stream: str = "f00d") -> list[SealedBatch]:
    """Batches of one stream, each following the one before."""
    out: list[SealedBatch] = []
    for n in range(batches):
        out.append(sealed(size, n * size + 1, out[-1].batch_id if out else None, stream=stream))
    return out


def secrets_of(items: list[Statement], *granted: str, suite: Suite = SUITE) -> list[dict[str, bytes]]:
    """Keys of the granted groups, version by version."""
    return [
        {g: suite.expand(s.key, int(s.envelope["version"] or 0), g) for g in s.groups if g in granted} if s.key else {}
        for s in items
    ]
