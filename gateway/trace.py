"""One value traced alone: field → version → page of a run → answer → batch → block, ending in a verified proof (DESIGN §5.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.app import Gateway
from gateway.errors import Usage
from gateway.proof import Trust, expand, payload_name, prove, verify_document
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


def find(gateway: Gateway, handle: str, number: int = 0) -> Any:
    """The stored version of a handle. Raises Usage for what is no handle, or none of ours."""
    try:
        name = handle_bytes(handle)
    except ValueError:
        raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None
    with gateway.store.read() as tx:
        row = tx.one("version_by_handle", handle=name, number=number)
    if row is None:
        raise Usage("没有编号 {handle}", handle=handle)
    return row


def trace(gateway: Gateway, handle: str, number: int = 0) -> Trace:
    """Follows one version all the way; what is not yet on a chain ends where it stands."""
    row = find(gateway, handle, number)
    dataset = DATASETS[row.dataset]
    record = _open(gateway, row)
    with gateway.store.read() as tx:
        batch = tx.one("batch_of_statement", stream_id=row.stream_id, seq=row.seq)
        rules = tx.value("rules_digest", id=row.rules_id)
        subjects = {gateway.vault.name("subject", n) for n in _numbers(dataset.subjects, record)}
        also = [r for s in sorted(subjects) for r in tx.all("observations_of_subject", subject=s)]
    proof = document(gateway, row, batch) if batch is not None and batch.batch_id else None
    verified = verify_document(proof, trust(gateway)) if proof is not None else None
    return Trace(
        handle=handle_text(row.handle),
        feed=row.feed,
        dataset=row.dataset,
        version=row.number,
        op=row.op,
        channel=row.channel,
        as_of=row.as_of,
        flags=row.flags,
        fields=_fields(row.dataset, record),
        run_id=row.run_id,
        page=row.evidence_page,
        request=row.evidence_request,
        answered_at=row.evidence_at,
        answer_hash=row.evidence_hash.hex() if row.evidence_hash else None,
        rules=rules,
        batch_id=batch.batch_id if batch is not None else None,
        leaf=row.seq - batch.first if batch is not None else None,
        of=batch.last - batch.first + 1 if batch is not None else None,
        ledger=verified.ledger if verified else None,
        block=verified.block if verified else None,
        block_hash=verified.block_hash if verified else None,
        proven=verified is not None,
        also=[
            {"feed": r.feed, "handle": handle_text(r.handle), "role": r.role} for r in also if r.handle != row.handle
        ],
    )


def trust(gateway: Gateway) -> Trust:
    """What we verify against ourselves: our signer and the first sink."""
    return Trust(gateway.signer.public, next(iter(gateway.chains.values())))


def document(gateway: Gateway, row: Any, batch: Any, groups: set[str] | None = None) -> dict[str, Any] | None:
    """The proof of one version, disclosing all or some of its groups; None while no sink has confirmed the batch."""
    anchor = next(iter(gateway.chains.values())).receipt(batch.batch_id)
    if anchor is None:
        return None
    payload = gateway.payloads.get(payload_name(batch.payload_digest))
    key = gateway.vault.unwrap(row.wrapped_key) if row.wrapped_key and row.sealed else None
    names = _group_names(payload, row.seq - batch.first) if key else []
    secrets = {g: expand(key.disclosure, row.number, g) for g in names if key and (groups is None or g in groups)}
    return prove(batch.manifest, batch.signature, payload, index=row.seq - batch.first, secrets=secrets, anchor=anchor)


def _group_names(payload: bytes, index: int) -> list[str]:
    version = msgspec.json.decode(payload.split(b"\n")[index + 1])
    return sorted(version["groups"])


def _open(gateway: Gateway, row: Any) -> dict[str, Any]:
    if row.sealed is None:
        return {}
    key = gateway.vault.unwrap(row.wrapped_key)
    record: dict[str, Any] = msgspec.json.decode(gateway.vault.open_version(key, row.number, row.handle, row.sealed))
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
