"""One value traced alone: field → version → page of a run → answer → batch → block, ending in a verified proof (DESIGN §5.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.app import Gateway
from gateway.chain import ChainUnavailable
from gateway.errors import Usage
from gateway.names import short
from gateway.proof import Trust, verify_document
from gateway.store.segments import Version
from gateway.store.segments import find as find_version
from gateway.vault import handle_bytes, handle_text
from schemas import DATASETS
from schemas.masking import mask, mask_kind


@dataclass(frozen=True, slots=True)
class TracedField:
    """One canonical field, masked."""

    path: str
    title: str
    value: str | None
    group: str


@dataclass(frozen=True, slots=True)
class Found:
    """One stored version with its observation, the answer that brought it, and the batch it is in, if any yet."""

    head: Any
    version: Version
    evidence: Any | None
    batch: Any | None


@dataclass(frozen=True, slots=True)
class Trace:
    """Where one version came from and where it went. `proof` is what a bank would be given, its values masked here."""

    handle: str
    feed: str
    dataset: str
    version: int
    op: str
    channel: str
    as_of: str | None
    flags: str
    fields: list[TracedField]
    run_id: int
    page: int | None
    request: str | None
    answered_at: str | None
    answer_hash: str | None
    rules: str
    batch_id: str | None
    leaf: int | None
    of: int | None
    ledger: str | None
    block: int | None
    block_hash: str | None
    proven: bool
    also: list[dict[str, Any]]
    """Other observations about the same persons: feed, handle, role."""


def find(gateway: Gateway, handle: str, number: int = 0) -> Found:
    """The stored version of a handle. Raises Usage for what is no handle, or none of ours."""
    try:
        name = handle_bytes(handle)
    except ValueError:
        raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
    with gateway.store.read() as tx:
        head = tx.one("observation_found", name=short([name])[0], handle=name)
        version = find_version(tx, head.stream_id, head.seq, number) if head is not None else None
        if head is None or version is None:
            raise Usage("没有编号 {handle}", handle=handle)
        evidence = tx.one("evidence_get", id=version.evidence_id) if version.evidence_id is not None else None
        batch = tx.one("batch_of_statement", stream_id=version.stream_id, seq=version.seq)
    return Found(head, version, evidence, batch)


def trace(gateway: Gateway, handle: str, number: int = 0) -> Trace:
    """Follows one version all the way; what is not yet on a chain ends where it stands."""
    found = find(gateway, handle, number)
    head, version, evidence, batch = found.head, found.version, found.evidence, found.batch
    dataset = DATASETS[head.dataset]
    record = _open(gateway, version)
    with gateway.store.read() as tx:
        rules = tx.value("rules_digest", id=version.rules_id)
        subjects = {gateway.vault.name("subject", n) for n in _numbers(dataset.subjects, record)}
        also = [r for s in sorted(short(list(subjects))) for r in tx.all("observations_of_subject", subject=s)]
    proven = _proof(gateway, version)
    verified = verify_document(*proven) if proven is not None else None
    return Trace(
        handle=handle_text(version.handle),
        feed=head.feed,
        dataset=head.dataset,
        version=version.number,
        op=version.op,
        channel=head.channel,
        as_of=version.as_of,
        flags=version.flags,
        fields=_fields(head.dataset, record) if record else [],
        run_id=version.run_id,
        page=evidence.page if evidence else None,
        request=evidence.request if evidence else None,
        answered_at=evidence.at if evidence else None,
        answer_hash=evidence.hash.hex() if evidence else None,
        rules=rules,
        batch_id=batch.batch_id if batch is not None else None,
        leaf=version.seq - batch.first if batch is not None else None,
        of=batch.last - batch.first + 1 if batch is not None else None,
        ledger=verified.ledger if verified else None,
        block=verified.block if verified else None,
        block_hash=verified.block_hash if verified else None,
        proven=verified is not None,
        also=[{"feed": r.feed, "handle": handle_text(r.handle), "role": r.role} for r in also if r.id != head.id],
    )


def _proof(gateway: Gateway, version: Version) -> tuple[dict[str, Any], Trust] | None:
    """The proof, and what to verify it against: our signer, and the first sink that has the batch. A sink that does not
    answer is passed over, unless no other has it.
    """
    silent: ChainUnavailable | None = None
    for chain in gateway.chains.values():
        try:
            document = gateway.disclosure.document(version, chain=chain)
        except ChainUnavailable as error:
            silent = silent or error
            continue
        if document is not None:
            return document, Trust(gateway.signer.public, chain)
    if silent is not None:
        raise silent
    return None


def _open(gateway: Gateway, version: Version) -> dict[str, Any]:
    if version.sealed is None or version.wrapped_key is None:
        return {}
    vault = gateway.vault
    text = vault.open_version(
        vault.unwrap(version.wrapped_key), version.number, version.handle, version.sealed, version.suite
    )
    record: dict[str, Any] = msgspec.json.decode(text)
    return record


def _numbers(subjects: Any, record: dict[str, Any]) -> list[str]:
    out = []
    for path in subjects.values():
        part, _, name = path.rpartition(".")
        holders = record.get(part) or [] if part else [record]
        out += [h[name] for h in holders if h.get(name)]
    return out


def _fields(dataset: str, record: dict[str, Any]) -> list[TracedField]:
    out = []
    for spec in DATASETS[dataset].fields.values():
        if spec.part is None:
            out.append(
                TracedField(spec.path, spec.of.title, _masked(mask_kind(spec), record.get(spec.name)), spec.of.group)
            )
            continue
        for i, element in enumerate(record.get(spec.part) or ()):
            path, group = f"{spec.part}.{i}.{spec.name}", f"{spec.of.group}/{i}"
            out.append(TracedField(path, spec.of.title, _masked(mask_kind(spec), element.get(spec.name)), group))
    return out


def _masked(kind: str, value: str | None) -> str | None:
    return None if value is None else mask(kind, value)
