"""Key files: what each member may open of a batch, when it is built, when a member comes late, and after an erasure.

A key file is issued again without touching the payload; the highest issue counts and older ones are withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.config import CatalogueEntry, MemberModel
from gateway.errors import Usage
from gateway.proof import (
    KeyMalformed,
    Manifest,
    MemberPublic,
    PayloadStore,
    ProofError,
    SealedBatch,
    Statement,
    Suite,
    issue_keys,
    keys_folder,
    payload_name,
    read_payload,
    suite_named,
)
from gateway.statements import may_share
from gateway.store import Store
from gateway.store.segments import versions_between
from gateway.vault import Vault

Secrets = list[dict[str, bytes]]


@dataclass(slots=True)
class Issued:
    """What an issue did: key files written, batches whose key file was there already, datasets that may not be shared now."""

    written: int = 0
    standing: int = 0
    held: list[str] = field(default_factory=list)


class Grants:
    """Issues key files on the agreed terms. Stateless; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        payloads: PayloadStore,
        *,
        catalogue: Mapping[str, CatalogueEntry],
        members: Mapping[str, MemberModel],
        member_keys: Path,
        suite: Suite,
    ) -> None:
        self._store, self._vault, self._payloads = store, vault, payloads
        self._catalogue, self._members, self._member_keys, self._suite = catalogue, members, member_keys, suite

    def first(self, dataset: str, sealed: SealedBatch, statements: Sequence[Statement]) -> None:
        """Key files of a batch just built, for the members that the terms name.

        Raises Usage: the public key of one is missing, or not of this installation's suite.
        """
        for name in self._catalogue[dataset].sharing.recipients:
            granted = self._granted(name, dataset)
            if not granted:
                continue
            member = self._public(name)
            if not self._payloads.names(keys_folder(sealed.batch_id, member)):
                self._put(sealed.batch_id, member, [_secrets(self._suite, s, granted) for s in statements])

    def late(
        self, name: str, today: Any, *, again: bool = False, on_batch: Callable[[], None] = lambda: None
    ) -> Issued:
        """Key files for all past batches of the datasets that a member is granted.

        Args:
            name: the member's, in gateway.yaml.
            today: business date, on which the terms have to hold.
            again: also where the member has one: its grant changed.
            on_batch: progress.

        Raises:
            Usage: no such member, or no usable public key.
            ProofInvalid, PayloadAltered, PayloadMissing: a batch does not hold; those before it have their key files.
        """
        if name not in self._members:
            raise Usage("没有成员单位 {name}。可用的有：{known}", name=name, known="、".join(self._members))
        member, issued = self._public(name), Issued()
        for dataset in self._members[name].groups:
            entry = self._catalogue.get(dataset)
            if entry is None or name not in entry.sharing.recipients:
                continue
            if (reason := may_share(entry, today)) is not None:
                issued.held.append(f"{dataset}：{reason}")
                continue
            with self._store.read() as tx:
                batches = tx.all("batches_of_dataset", dataset=dataset)
            for batch in batches:
                if self._payloads.names(keys_folder(batch.batch_id, member)) and not again:
                    issued.standing += 1
                else:
                    self._put(batch.batch_id, member, self._opened(batch, self._granted(name, dataset)))
                    issued.written += 1
                on_batch()
        return issued

    def catch_up(self) -> int:
        """Issues again what an erasure left to do; the number of key files."""
        written = 0
        with self._store.read() as tx:
            waiting = tx.all("reissues")
        for batch in waiting:
            try:
                written += self._again(batch)
            except ProofError:
                # a payload that is missing or altered opens for nobody anyway
                self._withdraw(batch.batch_id)
            with self._store.write() as tx:
                tx.run("reissue_done", batch=batch.id)
        return written

    def _again(self, batch: Any) -> int:
        """New key files for whoever has one; those for keys of nobody's any more are withdrawn."""
        written, known = 0, {}
        for name in self._members:
            granted, member = self._granted(name, batch.dataset), self._handed_in(name)
            if granted and member is not None:
                known[keys_folder(batch.batch_id, member)] = (member, granted)
        for folder in self._payloads.names(f"keys/{batch.batch_id}"):
            if folder in known:
                member, granted = known[folder]
                self._put(batch.batch_id, member, self._opened(batch, granted))
                written += 1
            else:
                self._withdraw_from(folder)
        return written

    def _withdraw(self, batch_id: str) -> None:
        for folder in self._payloads.names(f"keys/{batch_id}"):
            self._withdraw_from(folder)

    def _withdraw_from(self, folder: str) -> None:
        for name in self._payloads.names(folder):
            self._payloads.remove(name)

    def _put(self, batch_id: str, member: MemberPublic, secrets: Secrets) -> None:
        folder = keys_folder(batch_id, member)
        older = self._payloads.names(folder)
        issue = 1 + max((int(name.rpartition("/")[2].partition("-")[0]) for name in older), default=0)
        file = issue_keys(batch_id, member, secrets, issue=issue)
        self._payloads.put(file.name, file.content)
        for name in older:
            self._payloads.remove(name)

    def _opened(self, batch: Any, granted: Sequence[str]) -> Secrets:
        """The keys of a batch as it was anchored: the groups are those of its payload, the algorithm its suite's."""
        manifest = Manifest.parse(batch.manifest)
        sealed = read_payload(manifest, self._payloads.get(payload_name(manifest.payload_digest)))
        with self._store.read() as tx:
            stored = versions_between(tx, batch.stream_id, batch.first, batch.last)
        expand = suite_named(manifest.suite).expand
        return [
            {
                group: expand(self._vault.unwrap(row.wrapped_key).disclosure, row.number, group)
                for group in _covered(version.groups, granted)
            }
            if row.wrapped_key is not None
            else {}
            for row, version in zip(stored, sealed, strict=True)
        ]

    def _granted(self, name: str, dataset: str) -> Sequence[str]:
        model = self._members.get(name)
        return model.groups.get(dataset, ()) if model else ()

    def _handed_in(self, name: str) -> MemberPublic | None:
        """The public key a member handed in, of whichever suite; None where there is none that can be read."""
        try:
            return MemberPublic.parse((self._member_keys / self._members[name].key).read_text("ascii"))
        except (OSError, UnicodeDecodeError, KeyMalformed):
            return None

    def _public(self, name: str) -> MemberPublic:
        """Raises Usage: the member's public key file is not there, holds none, or one of another suite."""
        public = self._handed_in(name)
        if public is None:
            raise Usage(
                "成员 {member} 的公钥 {path} 读不到或不合规；请由成员用 shuqiao member keygen 生成并交来 .pub 文件",
                member=name,
                path=str(self._member_keys / self._members[name].key),
            )
        if public.suite is not self._suite:
            raise Usage(
                "成员 {member} 的公钥是 {algorithm}，本网关的套件 {suite} 需要 {wanted}；请由成员用 "
                "shuqiao member keygen --suite 重新生成并交来",
                member=name,
                algorithm=public.algorithm,
                suite=self._suite.name,
                wanted=self._suite.agreement,
            )
        return public


def _secrets(suite: Suite, statement: Statement, granted: Sequence[str]) -> dict[str, bytes]:
    """Keys of the groups of one version that a grant covers."""
    if statement.key is None:
        return {}
    number, key = int(statement.envelope["version"] or 0), statement.key
    return {group: suite.expand(key, number, group) for group in _covered(statement.groups, granted)}


def _covered(groups: Mapping[str, Any], granted: Sequence[str]) -> list[str]:
    """`holder` covers `holder/0`, `holder/1`, …"""
    return [g for g in groups if granted == "all" or g.partition("/")[0] in granted]
