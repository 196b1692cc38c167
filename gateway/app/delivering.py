"""From the store to the chains and their members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from gateway.app.foundation import Foundation
from gateway.app.sinks import chains, verified
from gateway.chain import Chain
from gateway.disclosure import Disclosure
from gateway.erasure import Eraser
from gateway.forwarder import Forwarder
from gateway.grants import Grants
from gateway.heads import AuditHeads
from gateway.proof import DirectoryPayloadStore
from gateway.rewrap import Masters


class Delivering(Foundation):
    """Sinks, batches, key files, and what proves them."""

    @cached_property
    def chains(self) -> Mapping[str, Chain]:
        """The sinks of gateway.yaml, by name."""
        return chains(self.config, self.settings.data, self.store, self.signer)

    @cached_property
    def heads(self) -> AuditHeads:
        return AuditHeads(self.store, self.vault, self.clock, self.audit)

    def verify_audit(self) -> int:
        """Checks the audit log against itself and against every sink; the number of entries. Raises Unreconciled."""
        return self.heads.verify(self.chains, self.signer.public)

    def verify_chains(self) -> dict[str, int]:
        """Re-checks every sink from its first block on, against our own receipts; sink -> number of blocks.

        Raises:
            ChainBroken: names the block that does not hold.
        """
        return {name: verified(name, chain, self.store) for name, chain in self.chains.items()}

    @cached_property
    def payloads(self) -> DirectoryPayloadStore:
        assert self.config.gateway is not None
        return DirectoryPayloadStore(self.settings.data / self.config.gateway.payloads)

    @cached_property
    def grants(self) -> Grants:
        assert self.config.gateway is not None
        return Grants(
            self.store,
            self.vault,
            self.payloads,
            catalogue=self.config.catalogue,
            members=self.config.gateway.members,
            member_keys=self.settings.data,
            suite=self.suite,
        )

    @cached_property
    def forwarder(self) -> Forwarder:
        assert self.config.gateway is not None
        return Forwarder(
            self.store,
            self.vault,
            self.clock,
            self.leases,
            signer=self.signer,
            chains=self.chains,
            payloads=self.payloads,
            catalogue=self.config.catalogue,
            grants=self.grants,
            submitter=self.config.gateway.submitter,
            batch_size=self.config.gateway.batch_size,
            suite=self.suite,
        )

    @cached_property
    def disclosure(self) -> Disclosure:
        return Disclosure(self.store, self.vault, self.payloads, self.chains)

    @cached_property
    def eraser(self) -> Eraser:
        return Eraser(self.store, self.vault, self.clock, self.leases, grants=self.grants, suite=self.suite)

    @cached_property
    def masters(self) -> Masters:
        return Masters(self.store, self.settings.data, self.leases)
