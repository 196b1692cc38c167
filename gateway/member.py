"""The member's side: what a bank runs, with its own key, the pinned signer key, the chain and the shared folder (DESIGN §8).

Nothing else of ours is needed: no store, no vault, no configuration, no environment. Everything is checked from the chain
down: headers, manifests, payloads, every version's commitments and root, and only then a group is opened.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from gateway.chain import Head, HeaderChain, Placed
from gateway.chain.evm import Endpoint
from gateway.chain.source import Anchored, Held, source_of
from gateway.proof import (
    INTL,
    Checked,
    DirectoryPayloadStore,
    KeyMalformed,
    KeysUnreadable,
    Manifest,
    MemberKey,
    MemberPublic,
    PayloadAltered,
    PayloadMissing,
    PayloadStore,
    ProofError,
    PublicKey,
    Trust,
    Values,
    keys_folder,
    open_group,
    open_keys,
    payload_name,
    read_payload,
    suite_named,
)
from gateway.proof import verify_report as check

HEADERS: Final = "headers.jsonl"
"""Where `fetch` leaves the headers in its folder; the next fetch must continue them."""
VERSIONS: Final = "versions"

OnBatch: TypeAlias = Callable[[int, int], None]
"""Told (batches done, batches in all) after each batch."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not hold. `code` is that of the error: PAYLOAD_MISSING, PAYLOAD_ALTERED, ROOT, STREAM_GAP, …"""

    code: str
    block: int
    batch: str
    sentence: str


@dataclass(slots=True)
class Report:
    """What was verified. Counts cover batches without a problem only."""

    head: Head
    batches: int = 0
    versions: int = 0
    groups_opened: int = 0
    groups_closed: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(slots=True)
class Fetched:
    """What a fetch brought: files copied, batches whose payload is here now."""

    head: Head
    batches: int = 0
    copied: int = 0
    problems: list[Problem] = field(default_factory=list)


def keygen(path: Path, suite: str = INTL.name) -> MemberPublic:
    """Writes a new private key (mode 0600) and, beside it with suffix `.pub`, the public key to hand in.

    Raises:
        KeyMalformed: there is a key already; it is never overwritten.
    """
    key = MemberKey.new(suite_named(suite))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise KeyMalformed("已有私钥，不会覆盖：{name}", name=path.name) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key.text + "\n")
    path.with_suffix(".pub").write_text(key.public.text + "\n", "ascii")
    return key.public


def load_key(path: Path) -> MemberKey:
    """Raises KeyMalformed."""
    return MemberKey.parse(_text(path))


def load_signer(path: Path) -> PublicKey:
    """The pinned public key of the gateway. Raises KeyMalformed."""
    return PublicKey.parse(_text(path))


def verify(
    shared: Path,
    member_key: MemberKey,
    pinned_signer: PublicKey,
    *,
    headers: Path | None = None,
    ledger: Path | None = None,
    endpoint: Endpoint | None = None,
    out: Path | None = None,
    expected_head: Head | None = None,
    on_batch: OnBatch | None = None,
) -> Report:
    """Verifies everything anchored and opens what was granted.

    Args:
        shared: the payload store, or what `fetch` made of it.
        member_key: this member's private key.
        pinned_signer: the gateway's public key, learnt once and not from the chain.
        headers: exported headers, or
        ledger: the ledger itself, or
        endpoint: a node, the chain's id and the contract; exactly one of the three.
        out: opened versions are written there as JSON lines, mode 0600: personal data in the clear.
        expected_head: a block seen earlier that the chain must still hold.
        on_batch: progress.

    Raises:
        ChainBroken, ChainUnavailable: the chain itself does not hold; nothing else was looked at.
        OSError: `out` cannot be written.
    """
    chain = list(source_of(pinned_signer, headers, ledger, endpoint).blocks(expected_head))
    report = Report(_head(chain), problems=_gaps(chain))
    store = DirectoryPayloadStore(shared)
    with _private(out) if out else nullcontext() as sink:
        for done, (block, manifest) in enumerate(chain, 1):
            try:
                _open_batch(store, member_key, manifest, report, sink)
            except ProofError as error:
                report.problems.append(_problem(error.code, block, str(error)))
            if on_batch:
                on_batch(done, len(chain))
    return report


def fetch(
    shared: Path,
    member_key: MemberKey,
    pinned_signer: PublicKey,
    out_dir: Path,
    *,
    headers: Path | None = None,
    ledger: Path | None = None,
    endpoint: Endpoint | None = None,
    on_batch: OnBatch | None = None,
) -> Fetched:
    """Copies headers, payloads and this member's newest key files, so that `verify` can run where nothing else is.

    What is there already is not copied again. A payload that is not what was anchored is not copied at all. The headers
    must continue those of the fetch before.

    Raises:
        ChainBroken, ChainUnavailable: the chain does not hold, or forgot blocks that were fetched before.
    """
    kept = out_dir / HEADERS
    before = HeaderChain(kept, pinned_signer).head if kept.exists() else None
    origin = source_of(pinned_signer, headers, ledger, endpoint)
    chain = list(origin.blocks(before if before and before.number else None))
    fetched = Fetched(_head(chain))
    source, target = DirectoryPayloadStore(shared), DirectoryPayloadStore(out_dir)
    for done, (block, manifest) in enumerate(chain, 1):
        try:
            fetched.copied += _copy_payload(source, target, manifest)
            fetched.batches += 1
            fetched.copied += _copy_keys(source, target, keys_folder(manifest.batch_id, member_key.public))
        except (PayloadMissing, PayloadAltered) as error:
            fetched.problems.append(_problem(error.code, block, str(error)))
        if on_batch:
            on_batch(done, len(chain))
    origin.keep(kept)
    return fetched


def verify_report(
    file: bytes,
    pinned_signer: PublicKey,
    *,
    headers: Path | None = None,
    ledger: Path | None = None,
    endpoint: Endpoint | None = None,
) -> Checked:
    """Checks a report, PDF or JSON, against the chain; raises as `verify` and `gateway.proof.verify_report`."""
    source = source_of(pinned_signer, headers, ledger, endpoint)
    held = {block.batch_id: block for block, _manifest in source.blocks(None)}
    return check(file, Trust(pinned_signer, Anchored(source.ledger, held)))


def _open_batch(store: PayloadStore, key: MemberKey, manifest: Manifest, report: Report, sink: IO[str] | None) -> None:
    """Counts a batch, and writes it, once all of it holds. Raises ProofError at the first thing that does not."""
    if manifest.kind != VERSIONS:
        report.batches += 1
        return
    suite = suite_named(manifest.suite)
    versions = read_payload(manifest, store.get(payload_name(manifest.payload_digest)))
    issues = store.names(keys_folder(manifest.batch_id, key.public))
    granted = open_keys(key, manifest.batch_id, store.get(issues[-1])) if issues else [{} for _ in versions]
    if len(granted) != len(versions):
        raise KeysUnreadable("密钥文件与批次条数不符：{batch}", batch=manifest.batch_id)
    opened: list[dict[str, Values]] = [
        {group: open_group(suite, version, group, secret) for group, secret in secrets.items()}
        for version, secrets in zip(versions, granted, strict=True)
    ]
    count = sum(map(len, opened))
    report.batches += 1
    report.versions += len(versions)
    report.groups_opened += count
    report.groups_closed += sum(len(version.groups) for version in versions) - count
    if sink is not None:
        for version, groups in zip(versions, opened, strict=True):
            line: dict[str, Any] = {"batch": manifest.batch_id, "envelope": version.envelope, "groups": groups}
            sink.write(json.dumps(line, ensure_ascii=False) + "\n")


def _gaps(chain: list[Held]) -> list[Problem]:
    """Streams that lack a batch: each must begin at 1, follow on the one before and name it."""
    found: list[Problem] = []
    streams: dict[str, list[Held]] = {}
    for block, manifest in chain:
        streams.setdefault(manifest.stream, []).append((block, manifest))
    for batches in streams.values():
        expected, previous = 1, None
        for block, manifest in sorted(batches, key=lambda b: b[1].first):
            if (manifest.first, manifest.previous) != (expected, previous):
                sentence = f"数据流不连续：应从序号 {expected} 接续，实为 {manifest.first}"
                found.append(_problem("STREAM_GAP", block, sentence))
            expected, previous = manifest.last + 1, manifest.batch_id
    return found


def _copy_payload(source: PayloadStore, target: DirectoryPayloadStore, manifest: Manifest) -> bool:
    name = payload_name(manifest.payload_digest)
    if (target.path / name).exists():
        return False
    content = source.get(name)
    if suite_named(manifest.suite).hash(content).hex() != manifest.payload_digest:
        raise PayloadAltered("批次 {batch} 的载荷与上链的摘要不符", batch=manifest.batch_id)
    target.put(name, content)
    return True


def _copy_keys(source: PayloadStore, target: PayloadStore, folder: str) -> int:
    """Copies the newest issue and withdraws older ones; the number copied."""
    newest, here = source.names(folder)[-1:], target.names(folder)
    copied = [name for name in newest if name not in here]
    for name in copied:
        target.put(name, source.get(name))
    for name in here:
        if newest and name not in newest:
            target.remove(name)
    return len(copied)


def _head(chain: list[Held]) -> Head:
    return Head(chain[-1][0].number, chain[-1][0].hash) if chain else Head(0, "")


def _problem(code: str, block: Placed, sentence: str) -> Problem:
    return Problem(code, block.number, block.batch_id, f"区块 {block.number}：{sentence}")


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        raise KeyMalformed("密钥文件读不到：{name}", name=path.name) from None


@contextmanager
def _private(path: Path) -> Iterator[IO[str]]:
    """A file for its owner only, put in place whole when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
