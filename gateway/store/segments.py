"""The log of versions: what one page changed is one segment, a gapless range of its feed's stream (ADR 0009).

A version is never changed, is read in runs by the forwarder and one at a time by a trace, and is erased by its
observation's key; so it needs no row of its own. A segment's body holds the columns of its versions in MessagePack:
observation ids, numbers, sequence number of the version before (0: none), source times, flags, ciphertexts (null: a
tombstone).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from gateway.store.engine import Tx

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(
    tuple[list[int], list[int], list[int], list[str | None], list[str], list[bytes | None]]
).decode
_decode_periods: Final = msgspec.msgpack.Decoder(dict[str, int]).decode


@dataclass(frozen=True, slots=True)
class Version:
    """One version with what its leaf is made of."""

    stream_id: int
    seq: int
    observation_id: int
    number: int
    previous: int
    """Sequence number of the version before in the same stream; 0 if it is the first."""
    source_time: str | None
    as_of: str
    flags: str
    sealed: bytes | None
    """None: a tombstone."""
    run_id: int
    rules_id: int
    evidence_id: int | None
    evidence_hash: bytes | None
    handle: bytes
    wrapped_key: bytes | None
    """None: erased."""
    suite: str
    """In which `sealed` is encrypted."""

    @property
    def op(self) -> str:
        return "gone" if self.sealed is None else "put"


def pack(
    observations: Sequence[int],
    numbers: Sequence[int],
    previous: Sequence[int],
    times: Sequence[str | None],
    flags: Sequence[str],
    sealed: Sequence[bytes | None],
) -> bytes:
    """A segment's body; all columns run in step."""
    return _encode((observations, numbers, previous, times, flags, sealed))


def pack_periods(periods: Mapping[str, int]) -> bytes | None:
    """What a segment says of the periods its versions count for; None where it says nothing."""
    return _encode(dict(periods)) if periods else None


@dataclass(frozen=True, slots=True)
class Tally:
    """What one segment says of time, read without a key."""

    last: int
    at: str
    """When it was committed."""
    puts: int
    gone: int
    times: list[str]
    """Source times of its versions, where they have one; tombstones left out."""
    periods: Mapping[str, int]


def tallies(tx: Tx, stream_id: int, after: int, count: int) -> Iterator[Tally]:
    """The next `count` segments behind `after`, in order."""
    for segment in tx.all("segments_after", stream_id=stream_id, after=after, count=count):
        _, _, _, times, _, sealed = _decode(segment.body)
        held = [time for time, body in zip(times, sealed, strict=True) if body is not None]
        yield Tally(
            segment.last,
            segment.at,
            len(held),
            len(sealed) - len(held),
            [time for time in held if time is not None],
            _decode_periods(segment.periods) if segment.periods else {},
        )


def resealed(tx: Tx, segment: Any, seal: Callable[[Version], bytes]) -> bytes:
    """A segment's body with every version sealed again that can still be opened: not tombstones, nor what was erased."""
    versions = _versions(tx, [segment], range(segment.first, segment.last + 1))
    columns = _decode(segment.body)
    sealed = [v.sealed if v.sealed is None or v.wrapped_key is None else seal(v) for v in versions]
    return _encode((*columns[:-1], sealed))


def versions_between(tx: Tx, stream_id: int, first: int, last: int) -> list[Version]:
    """The versions of a range of a stream, in order."""
    segments = tx.all("segments_between", stream_id=stream_id, first=first, last=last)
    return _versions(tx, segments, range(first, last + 1))


def versions_at(tx: Tx, stream_id: int, seqs: Iterable[int]) -> dict[int, Version]:
    """These versions of a stream, by sequence number."""
    wanted = sorted(set(seqs))
    out: dict[int, Version] = {}
    at = 0
    while at < len(wanted):
        segment = tx.one("segment_of", stream_id=stream_id, seq=wanted[at])
        if segment is None or segment.last < wanted[at]:
            at += 1
            continue
        upto = at
        while upto < len(wanted) and wanted[upto] <= segment.last:
            upto += 1
        out |= {v.seq: v for v in _versions(tx, [segment], set(wanted[at:upto]))}
        at = upto
    return out


def find(tx: Tx, stream_id: int, seq: int, number: int = 0) -> Version | None:
    """The version at `seq`, or the one with this number among those before it."""
    version = versions_at(tx, stream_id, [seq]).get(seq)
    while version is not None and number not in (0, version.number):
        version = versions_at(tx, stream_id, [version.previous]).get(version.previous)
    return version


def _versions(tx: Tx, segments: Sequence[Any], wanted: Container[int]) -> list[Version]:
    picked = [
        (segment, seq, entry)
        for segment in segments
        for seq, entry in enumerate(zip(*_decode(segment.body), strict=True), segment.first)
        if seq in wanted
    ]
    heads = {row.id: row for row in tx.among("observations_sealed_with", sorted({e[0] for _, _, e in picked}))}
    return [
        Version(
            stream_id=segment.stream_id,
            seq=seq,
            observation_id=observation,
            number=number,
            previous=previous,
            source_time=time,
            as_of=time or segment.at,
            flags=flags,
            sealed=sealed,
            run_id=segment.run_id,
            rules_id=segment.rules_id,
            evidence_id=segment.evidence_id,
            evidence_hash=segment.evidence_hash,
            handle=heads[observation].handle,
            wrapped_key=heads[observation].wrapped_key,
            suite=segment.suite,
        )
        for segment, seq, (observation, number, previous, time, flags, sealed) in picked
    ]
