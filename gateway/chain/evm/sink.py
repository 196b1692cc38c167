"""The contract for writing: a batch is sent once, looked for as often as it takes, and final when the engine says so."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog
from web3 import Web3

from gateway.chain.base import ChainConflict, ChainRefused, Head, Receipt, Submission
from gateway.chain.evm.contract import DEPLOY_GAS, Anchor, Refusal, artefact, batch_of, bureau_of, content_of
from gateway.chain.evm.journal import Journal, Pin, Signed, TxState
from gateway.chain.evm.lane import Lane
from gateway.chain.evm.ledger import EvmLedger
from gateway.chain.evm.profiles import Endpoint, Profile
from gateway.proof import Manifest, Signer, verify_manifest
from gateway.proof.errors import ProofError

log = structlog.get_logger(__name__)

IDENTITY_SECONDS: Final = 10.0
"""How long the chain behind an endpoint is taken for the one we pinned."""
DEPLOY_PATIENCE: Final = 60.0
REASONS: Final[Mapping[str, str]] = {
    "IsPaused": "合约已暂停",
    "NotWriter": "本账户不在合约的写入名单里",
    "NotAdmin": "本账户不是合约的管理员",
    "Malformed": "合约认为批次不完整",
    "OutOfOrder": "前一批还没有上链",
}


class EvmChain(EvmLedger):
    """One sink. Whoever writes holds the lease named `lane`."""

    pace = 0.5

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        profile: Profile,
        signer: Signer,
        journal: Journal,
        key: str,
        *,
        gas_price: int = 0,
        confirmations: int | None = None,
        window: int = 64,
    ) -> None:
        pinned = journal.pinned()
        if endpoint.contract is None and pinned is not None:
            endpoint = replace(endpoint, contract=pinned.contract)
        super().__init__(endpoint, signer.public, profile, confirmations)
        self.name = name
        self._signer, self._journal, self._window_size = signer, journal, window
        self.sender = Lane(self.node, journal, key, gas_price)
        self.lane = f"lane:{endpoint.chain_id}:{self.sender.address.lower()}"
        self._known_until = float("-inf")
        self._seen_at: dict[str, int] = {}

    def submit(self, manifest: bytes, signature: bytes) -> Submission:
        try:
            parsed = verify_manifest(manifest, signature, self.signer)
        except ProofError as error:
            raise ChainRefused("账本拒收：{why}", why=str(error)) from error
        self.identify()
        self.sender.look()
        batch = batch_of(parsed, manifest, signature)
        signed = self._journal.of_batch(parsed.batch_id)
        receipt = self._look(parsed, batch, signed) if signed else self._first(parsed, batch)
        return Submission(parsed.batch_id, receipt)

    def verify(self, *, expected_head: Head | None = None) -> Head:
        """Re-checks every batch that was ever anchored, and that the chain is the one first met."""
        self.identify()
        head = Head(0, "")
        for block, _manifest in self.blocks(self.signer, expected_head):
            head = Head(block.number, block.hash)
        return head

    def export_headers(self, path: Path, signer: Signer | None = None) -> Head:
        return super().export_headers(path, signer or self._signer)

    def identify(self) -> Pin:
        """Which chain this is; pinned when it is met first.

        Raises:
            ChainRefused: another chain id than configured, or no contract.
            ChainConflict: not the chain that was met first: another genesis, or other code at the address.
        """
        pinned = self._journal.pinned()
        if pinned is not None and time.monotonic() < self._known_until:
            return pinned
        self._checked = False
        self._check()
        found = self._pin(self.contract)
        if pinned is None:
            self._journal.pin(found)
            log.info("chain_pinned", sink=self.name, chain=found.chain_id, genesis=found.genesis)
        elif found != pinned:
            what = "创世块" if found.genesis != pinned.genesis else "合约代码"
            raise ChainConflict("{sink} 的{what}与首次使用时不同：不是同一条链", sink=self.name, what=what)
        self._known_until = time.monotonic() + IDENTITY_SECONDS
        return found

    def pinned(self) -> Pin | None:
        """The chain as it was met first."""
        return self._journal.pinned()

    def deploy(self) -> tuple[str, int]:
        """Deploys the contract, lets this sender write for this gateway, and pins it; its address, and the gas of it all.

        Raises:
            ChainRefused: there is a contract already, or the chain refused one of the transactions.
        """
        if self.endpoint.contract is not None:
            raise ChainRefused(
                "{sink} 已有合约 {contract}，不会再部署", sink=self.name, contract=self.endpoint.contract
            )
        self._check_chain_id()
        address, gas = self._finish(self.sender, None, bytes.fromhex(artefact().bytecode[2:]), DEPLOY_GAS)
        assert address is not None
        address = address.lower()
        grant = self._encode("setWriter", Web3.to_checksum_address(self.sender.address), bureau_of(self.signer))
        _, more = self._finish(self.sender, Web3.to_checksum_address(address), grant, None)
        self.endpoint = replace(self.endpoint, contract=address)
        self._journal.pin(self._pin(address))
        return address, gas + more

    def _pin(self, contract: str) -> Pin:
        genesis, code = self.node.header(0), self.node.code_hash(contract)
        assert genesis is not None
        assert code is not None
        return Pin(self.endpoint.chain_id, genesis.hash, contract.lower(), code)

    def _first(self, parsed: Manifest, batch: tuple[Any, ...]) -> Receipt | None:
        """No transaction of ours is known for this batch: looks before it signs one."""
        standing = self.anchor(parsed.batch_id)
        if standing is not None:
            return self._standing(parsed, batch, standing)
        if not self._may_follow(parsed) or len(self.sender.in_flight) >= self._window_size:
            return None
        self._send(parsed, batch)
        return None

    def _look(self, parsed: Manifest, batch: tuple[Any, ...], signed: Signed) -> Receipt | None:
        """What became of the transaction that was signed for this batch."""
        if signed.state in (TxState.REVERTED, TxState.SUPERSEDED) and signed.nonce < self.sender.nonce:
            return self._again(parsed, batch)
        if self._seen_at.get(signed.hash) == self.sender.tip:
            return None
        self._seen_at[signed.hash] = self.sender.tip
        mined = self.node.mined(signed.hash)
        if mined is None:
            if signed.nonce >= self.sender.nonce:
                return None
            standing = self.anchor(parsed.batch_id)
            if standing is None and self.node.mined(signed.hash) is None:
                log.warning("transaction_superseded", sink=self.name, batch=parsed.batch_id, nonce=signed.nonce)
                self._journal.mark(signed.nonce, TxState.SUPERSEDED)
            return self._standing(parsed, batch, standing) if standing else None
        if mined.ok:
            receipt = self.receipt(parsed.batch_id)
            if receipt is not None:
                self._journal.mark(signed.nonce, TxState.MINED)
                self._seen_at.pop(signed.hash, None)
            return receipt
        self._journal.mark(signed.nonce, TxState.REVERTED)
        return self._again(parsed, batch)

    def _again(self, parsed: Manifest, batch: tuple[Any, ...]) -> Receipt | None:
        """A transaction failed for good: a new one is signed only when the contract says that it would take it now.

        Raises:
            ChainConflict: the batch, or its place in the stream, holds something else.
            ChainRefused: a person has to mend the contract's allow-list, or its pause.
        """
        standing = self.anchor(parsed.batch_id)
        if standing is not None:
            return self._standing(parsed, batch, standing)
        refused = self.node.simulate(self.contract, self.sender.address, "anchor", batch)
        if refused is None:
            self._send(parsed, batch)
            return None
        if refused.name == "OutOfOrder" and refused.values[2] < parsed.first:
            return None
        if refused.name == "OutOfOrder":
            raise _taken(parsed)
        raise ChainRefused("{sink} 的合约拒绝这一批：{why}", sink=self.name, why=reason(refused))

    def _standing(self, parsed: Manifest, batch: tuple[Any, ...], standing: Anchor) -> Receipt | None:
        """The receipt of a batch that the contract has. Raises ChainConflict when it has another content."""
        if standing.content != content_of(batch):
            raise ChainConflict(
                "批次 {batch} 在 {sink} 的区块 {block} 是别的内容（根 {root}）",
                batch=parsed.batch_id,
                sink=self.name,
                block=standing.block,
                root=standing.root.hex(),
            )
        return self.receipt(parsed.batch_id)

    def _may_follow(self, parsed: Manifest) -> bool:
        """Whether the stream's batch before is anchored or on its way: one that cannot pass yet is not sent."""
        if parsed.previous is None:
            return True
        before = self._journal.of_batch(parsed.previous)
        if before is not None and before.state in (TxState.SIGNED, TxState.SENT, TxState.MINED):
            return True
        return self.anchor(parsed.previous) is not None

    def _send(self, parsed: Manifest, batch: tuple[Any, ...]) -> None:
        data = self._encode("anchor", batch)
        self.sender.send(self.sender.sign(self._checksummed, data, parsed.batch_id))

    @property
    def _checksummed(self) -> str:
        return Web3.to_checksum_address(self.contract)

    def _encode(self, function: str, *arguments: Any) -> bytes:
        return bytes.fromhex(self.node.codec.encode_abi(function, list(arguments)).removeprefix("0x"))

    def _finish(self, lane: Lane, to: str | None, data: bytes, gas: int | None) -> tuple[str | None, int]:
        """Sends a transaction of an operator and waits for its block; the contract it made, and its gas."""
        lane.look()
        signed = lane.sign(to, data, "", gas=gas)
        lane.send(signed)
        deadline = time.monotonic() + DEPLOY_PATIENCE
        while (mined := self.node.mined(signed.hash)) is None:
            if time.monotonic() > deadline:
                raise ChainRefused("{sink} 在 {seconds} 秒内没有出块", sink=self.name, seconds=int(DEPLOY_PATIENCE))
            time.sleep(self.pace)
            lane.look()
        if not mined.ok:
            raise ChainRefused("{sink} 拒绝了部署或授权的交易", sink=self.name)
        self._journal.mark(signed.nonce, TxState.MINED)
        return mined.contract, mined.gas


def reason(refused: Refusal) -> str:
    """A refusal in words."""
    return REASONS.get(refused.name, refused.name)


def _taken(parsed: Manifest) -> ChainConflict:
    return ChainConflict("批次 {batch} 在链上的位置已被占：同一数据流的同一段已上链为别的内容", batch=parsed.batch_id)
