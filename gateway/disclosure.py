"""Proof documents for single versions: what a bank is given of one, some or all of its groups (DESIGN §5.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

from gateway.chain import Chain
from gateway.proof import OpenBatch, PayloadStore, payload_name
from gateway.store import Store
from gateway.store.segments import Version
from gateway.vault import Vault

BATCHES: Final = 48
"""Batches whose trees are kept: a report touches a dozen, and a bank's queries of one day the same ones again."""


class Disclosure:
    """Makes proof documents, against the first sink unless another is named. Safe to share between threads."""

    def __init__(self, store: Store, vault: Vault, payloads: PayloadStore, chains: Mapping[str, Chain]) -> None:
        self._store, self._vault, self._payloads, self._chains = store, vault, payloads, chains
        self._opened = lru_cache(BATCHES)(self._open)

    def document(
        self, version: Version, groups: Collection[str] | None = None, *, chain: Chain | None = None
    ) -> dict[str, Any] | None:
        """The proof of one version, disclosing these of its groups or all; None while the sink has not confirmed its batch.

        Raises:
            ProofInvalid, PayloadAltered, PayloadMissing: the batch itself does not hold.
        """
        with self._store.read() as tx:
            batch = tx.one("batch_of_statement", stream_id=version.stream_id, seq=version.seq)
        if batch is None or batch.batch_id is None:
            return None
        anchor = (chain or next(iter(self._chains.values()))).receipt(batch.batch_id)
        if anchor is None:
            return None
        opened = self._opened(batch.batch_id, batch.manifest, batch.signature, batch.payload_digest)
        index = version.seq - batch.first
        secrets = {}
        if version.sealed is not None and version.wrapped_key is not None:
            key = self._vault.unwrap(version.wrapped_key)
            named = [g for g in opened.groups(index) if groups is None or g in groups]
            secrets = {group: opened.suite.expand(key.disclosure, version.number, group) for group in named}
        return opened.document(index, secrets, anchor)

    def _open(self, _batch_id: str, manifest: bytes, signature: bytes, digest: str) -> OpenBatch:
        return OpenBatch(manifest, signature, self._payloads.get(payload_name(digest)))
