"""The contract for reading: what a member needs who may ask a node. It trusts the chain id, the contract and the pinned key."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from gateway.chain.base import ChainBroken, ChainRefused, ChainUnavailable, Head, Receipt
from gateway.chain.evm.contract import Anchor, batch_of, bureau_of, content_of
from gateway.chain.evm.headers import EvmBlock, check, write_headers
from gateway.chain.evm.node import Header, Log, Node, moment
from gateway.chain.evm.profiles import NARROWEST, Endpoint, Profile
from gateway.proof import Manifest, PublicKey, Signer

PAGE: Final = 64
"""Batches that one view answers at once."""
_EVENT: Final = "0x" + keccak(text="Anchored(bytes32,bytes32,bytes32,bytes32,bytes,bytes)").hex()
_ANCHOR_OF: Final = keccak(text="anchorOf(bytes32,bytes32)")[:4]
_ANCHOR: Final = ("bytes32", "bytes32", "bytes32", "bytes32", "uint64", "uint64", "uint64", "uint8", "address")


class EvmLedger:
    """What one bureau anchored at one contract.

    Raises (on first use):
        ChainRefused: another chain id than promised, or no contract at its address.
        ChainUnavailable: the node does not answer.
    """

    rereads = 32

    def __init__(
        self, endpoint: Endpoint, signer: PublicKey, profile: Profile = NARROWEST, confirmations: int | None = None
    ) -> None:
        self.endpoint, self.signer, self.profile = endpoint, signer, profile
        self.name = endpoint.ledger
        self.node = Node(endpoint, profile)
        self.confirmations = profile.confirmations if confirmations is None else confirmations
        self._bureaus: dict[PublicKey, bytes] = {}
        self._checked = False

    @property
    def contract(self) -> str:
        if self.endpoint.contract is None:
            raise ChainRefused("还没有部署合约：请运行 shuqiao chain deploy，把地址写进 gateway.yaml")
        return self.endpoint.contract

    def close(self) -> None:
        self.node.close()

    def bureau(self, pinned: PublicKey) -> bytes:
        """The name under which a gateway's batches stand: one that changed its suite keeps the name it began under."""
        if pinned not in self._bureaus:
            names = [bureau_of(key) for key in (*pinned.earlier, pinned)]
            taken = [name for name in names if len(names) == 1 or self.node.view(self.contract, "count", name)]
            if not taken:
                return names[-1]
            self._bureaus[pinned] = taken[0]
        return self._bureaus[pinned]

    def anchor(self, batch_id: str) -> Anchor | None:
        """What the contract keeps of a batch now, final or not."""
        found = Anchor(*self.node.view(self.contract, "anchorOf", self.bureau(self.signer), bytes.fromhex(batch_id)))
        return found if found.block else None

    def receipt(self, batch_id: str) -> Receipt | None:
        self._check()
        block = self._block(batch_id)
        return block.receipt(self.endpoint.ledger) if block else None

    def read(self, batch_id: str) -> bytes | None:
        self._check()
        block = self._block(batch_id)
        return block.manifest if block else None

    def stands(self, block: Head) -> bool:
        """Whether a block seen earlier is still part of the chain."""
        header = self.node.header(block.number)
        return header is not None and header.hash == block.hash

    def blocks(self, pinned: PublicKey, expected: Head | None = None) -> Iterator[tuple[EvmBlock, Manifest]]:
        """Every final batch in the order of its anchoring, checked as it comes.

        Raises:
            ChainBroken: one is not signed by the pinned key, not what the contract keeps, or `expected` is gone.
        """
        self._check()
        if expected and expected.number and not self.stands(expected):
            raise ChainBroken(expected.number, "与先前见过的同号区块不同")
        final, bureau = self.node.tip() - self.confirmations + 1, self.bureau(pinned)
        for start in range(0, int(self.node.view(self.contract, "count", bureau)), PAGE):
            ids, numbers = self.node.view(self.contract, "page", bureau, start, PAGE)
            near = [(n, i.hex()) for n, i in zip(numbers, ids, strict=True) if n <= final]
            for _window, group in groupby(near, lambda pair: pair[0] // self.profile.logs_window):
                yield from self._window(list(group), pinned)

    def export_headers(self, path: Path, signer: Signer | None = None) -> Head:
        """Writes every batch, whole or not at all, signed when the exporter is the gateway itself."""
        blocks = (block for block, _manifest in self.blocks(self.signer))
        return write_headers(path, self.endpoint.ledger, blocks, signer)

    def _check(self) -> None:
        """Once: this is the chain, and there is a contract."""
        if self._checked:
            return
        self._check_chain_id()
        if self.node.code_hash(self.contract) is None:
            raise ChainRefused(
                "链 {chain} 的地址 {contract} 没有合约", chain=self.endpoint.chain_id, contract=self.contract
            )
        self._checked = True

    def _check_chain_id(self) -> None:
        if (found := self.node.chain_id()) != self.endpoint.chain_id:
            raise ChainRefused(
                "节点 {node} 属于链 {found}，应为 {wanted}",
                node=self.node.shown,
                found=found,
                wanted=self.endpoint.chain_id,
            )

    def _block(self, batch_id: str) -> EvmBlock | None:
        """Where a batch stands, and its manifest, from the log of its block; None while it is not final."""
        anchor = self.anchor(batch_id)
        if anchor is None or anchor.block > self.node.tip() - self.confirmations + 1:
            return None
        topics = [_EVENT, _topic(self.bureau(self.signer)), "0x" + batch_id]
        logs = self.node.logs(self.contract, anchor.block, anchor.block, topics)
        header = self.node.header(anchor.block)
        if not logs or header is None or header.hash != logs[0].block_hash:
            raise ChainUnavailable("链节点 {node}：{why}", node=self.node.shown, why="区块正在重组")
        return _evm_block(logs[0], header)

    def _window(self, near: list[tuple[int, str]], pinned: PublicKey) -> Iterator[tuple[EvmBlock, Manifest]]:
        first, last = near[0][0], near[-1][0]
        logs = {
            log.topics[2].hex(): log
            for log in self.node.logs(self.contract, first, last, [_EVENT, _topic(self.bureau(pinned))])
        }
        numbers = sorted({number for number, _ in near})
        asked: list[tuple[str, list[Any]]] = [("eth_getBlockByNumber", [hex(number), False]) for number in numbers]
        headers = {number: _header(raw) for number, raw in zip(numbers, self.node.many(asked), strict=True)}
        asked = [("eth_call", [self._anchor_call(pinned, batch_id), "latest"]) for _, batch_id in near]
        for (number, batch_id), kept in zip(near, self.node.many(asked), strict=True):
            log, header = logs.get(batch_id), headers[number]
            if log is None or header is None or (log.block, log.block_hash) != (number, header.hash):
                raise ChainBroken(number, "合约记着的批次不在这个区块的日志里")
            block = _evm_block(log, header)
            manifest = check(block, pinned)
            anchor = Anchor(*decode(_ANCHOR, bytes.fromhex(kept.removeprefix("0x"))))
            batch = batch_of(manifest, block.manifest, block.manifest_signature)
            if (anchor.content, anchor.block) != (content_of(batch), number):
                raise ChainBroken(number, "合约记着的内容与清单不符")
            yield block, manifest

    def _anchor_call(self, pinned: PublicKey, batch_id: str) -> dict[str, str]:
        data = _ANCHOR_OF + encode(["bytes32", "bytes32"], [self.bureau(pinned), bytes.fromhex(batch_id)])
        return {"to": self.contract, "data": "0x" + data.hex()}


def _topic(value: bytes) -> str:
    return "0x" + value.hex()


def _header(raw: dict[str, Any] | None) -> Header | None:
    if raw is None:
        return None
    return Header(int(raw["number"], 16), raw["hash"].removeprefix("0x"), moment(int(raw["timestamp"], 16)))


def _evm_block(log: Log, header: Header) -> EvmBlock:
    _root, manifest, signature = decode(["bytes32", "bytes", "bytes"], log.data)
    return EvmBlock(header.number, header.hash, log.tx, header.at, log.topics[2].hex(), manifest, signature)
