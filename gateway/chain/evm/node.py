"""One node's JSON-RPC, and what its failures mean for a sender. Uses only what every engine answers (`profiles`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from eth_utils.crypto import keccak
from web3 import HTTPProvider, Web3
from web3.exceptions import (
    BadFunctionCallOutput,
    BlockNotFound,
    ContractLogicError,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import RPCEndpoint

from gateway.chain.base import ChainRefused, ChainUnavailable
from gateway.chain.evm.contract import Refusal, artefact, refusal
from gateway.chain.evm.profiles import Endpoint, Profile

CONNECT_SECONDS: Final = 3.0
_MILLISECONDS: Final = 100_000_000_000
"""A block time beyond this is told in milliseconds (FISCO BCOS before feature_evm_timestamp)."""
_KNOWN: Final = (
    *("already imported", "already known", "known transaction", "alreadyintxpool", "already in txpool"),
    *("nonce too low", "noncecheckfail", "nonce check fail", "underpriced"),
)
_KNOWN_CODES: Final = (10000, 10004)
_WRONG_CHAIN: Final = ("invalidchainid", "invalid chain id", "chain id")


class Known(Exception):
    """The node has this transaction, or another one with its nonce: go and look."""


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction's receipt."""

    block: int
    block_hash: str
    ok: bool
    gas: int
    contract: str | None


@dataclass(frozen=True, slots=True)
class Header:
    number: int
    hash: str
    at: str
    """ISO, UTC."""


@dataclass(frozen=True, slots=True)
class Log:
    block: int
    block_hash: str
    tx: str
    topics: tuple[bytes, ...]
    data: bytes


class Node:
    """Thread-safe; every method may raise ChainUnavailable."""

    def __init__(self, endpoint: Endpoint, profile: Profile) -> None:
        self.endpoint, self.profile = endpoint, profile
        self.shown = urlsplit(endpoint.url).netloc.rpartition("@")[2]
        options: dict[str, Any] = {"timeout": (min(CONNECT_SECONDS, endpoint.timeout), endpoint.timeout)}
        if endpoint.ca:
            options["verify"] = str(endpoint.ca)
        if endpoint.client:
            options["cert"] = tuple(map(str, endpoint.client))
        self._session = requests.Session()
        self._session.trust_env = False
        self._provider = HTTPProvider(
            endpoint.url, request_kwargs=options, session=self._session, exception_retry_configuration=None
        )
        self._w3 = Web3(self._provider)
        if profile.long_extra_data:
            self._w3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        self.codec = self._w3.eth.contract(abi=artefact().abi)

    def close(self) -> None:
        self._session.close()

    def chain_id(self) -> int:
        with self._asking():
            return int(self._w3.eth.chain_id)

    def tip(self) -> int:
        with self._asking():
            return int(self._w3.eth.block_number)

    def header(self, number: int) -> Header | None:
        """None for a block that is not there (yet, or any more)."""
        with self._asking():
            try:
                block = self._w3.eth.get_block(number)
            except BlockNotFound:
                return None
            return Header(int(block["number"]), _hex(block["hash"]), moment(int(block["timestamp"])))

    def code_hash(self, contract: str) -> str | None:
        """Keccak-256 of the code at an address; None where there is none."""
        with self._asking():
            code = bytes(self._w3.eth.get_code(Web3.to_checksum_address(contract)))
        return keccak(code).hex() if code else None

    def balance(self, address: str) -> int:
        with self._asking():
            return int(self._w3.eth.get_balance(Web3.to_checksum_address(address)))

    def nonce(self, address: str) -> int:
        """Transactions of an address that are in blocks."""
        with self._asking():
            return int(self._w3.eth.get_transaction_count(Web3.to_checksum_address(address), "latest"))

    def mined(self, tx: str) -> Mined | None:
        """None while no block holds it, and for a transaction that the node does not know."""
        with self._asking():
            try:
                receipt = self._w3.eth.get_transaction_receipt("0x" + tx)  # type: ignore[arg-type] # hex is a hash too
            except TransactionNotFound:
                return None
            address = receipt.get("contractAddress")
            return Mined(
                int(receipt["blockNumber"]),
                _hex(receipt["blockHash"]),
                int(receipt["status"]) == 1,
                int(receipt["gasUsed"]),
                str(address) if address else None,
            )

    def send(self, raw: bytes) -> None:
        """Raises Known where the answer is to be looked for on the chain; ChainRefused for another chain's transaction."""
        with self._asking():
            try:
                self._w3.eth.send_raw_transaction(raw)
            except Web3RPCError as error:
                code, said = _told(error)
                if code in _KNOWN_CODES or any(word in said for word in _KNOWN):
                    raise Known(said) from error
                if any(word in said for word in _WRONG_CHAIN):
                    raise ChainRefused(
                        "节点 {node} 说这笔交易属于另一条链：{said}", node=self.shown, said=said
                    ) from error
                raise

    def view(self, contract: str, function: str, *arguments: Any) -> Any:
        """The answer of a view of the contract."""
        with self._asking():
            at = self._w3.eth.contract(Web3.to_checksum_address(contract), abi=artefact().abi)
            return at.functions[function](*arguments).call()

    def simulate(self, contract: str, sender: str, function: str, *arguments: Any) -> Refusal | None:
        """What the contract would answer to a transaction now; None when it would take it."""
        with self._asking():
            at = self._w3.eth.contract(Web3.to_checksum_address(contract), abi=artefact().abi)
            try:
                at.functions[function](*arguments).call({"from": Web3.to_checksum_address(sender)})
            except ContractLogicError as error:
                return refusal(error.data if isinstance(error.data, str) else None, str(error.message or ""))
            return None

    def many(self, calls: Sequence[tuple[str, list[Any]]]) -> Iterator[Any]:
        """Results of many calls, in as few requests as the profile allows."""
        for start in range(0, len(calls), self.profile.rpc_batch):
            part = [(RPCEndpoint(method), args) for method, args in calls[start : start + self.profile.rpc_batch]]
            with self._asking():
                answers = self._provider.make_batch_request(part)
            if not isinstance(answers, list) or len(answers) != len(part):
                raise self._unavailable("批量应答不完整")
            for answer in answers:
                if "error" in answer:
                    raise self._unavailable(str(answer["error"]))
                yield answer["result"]

    def logs(self, contract: str, first: int, last: int, topics: Sequence[str | None]) -> list[Log]:
        """Events of one window of blocks, which must fit the profile."""
        assert last - first < self.profile.logs_window
        query = {"fromBlock": hex(first), "toBlock": hex(last), "address": contract, "topics": list(topics)}
        (found,) = self.many([("eth_getLogs", [query])])
        return [
            Log(
                int(log["blockNumber"], 16),
                log["blockHash"].removeprefix("0x"),
                log["transactionHash"].removeprefix("0x"),
                tuple(bytes.fromhex(topic.removeprefix("0x")) for topic in log["topics"]),
                bytes.fromhex(log["data"].removeprefix("0x")),
            )
            for log in found
        ]

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Whatever a node or the way to it fails with leaves the outcome open."""
        try:
            yield
        except requests.Timeout as error:
            raise self._unavailable("超时未答") from error
        except requests.RequestException as error:
            raise self._unavailable("连不上") from error
        except Web3RPCError as error:
            raise self._unavailable(_told(error)[1]) from error
        except (BadFunctionCallOutput, Web3Exception, ValueError, KeyError, TypeError) as error:
            raise self._unavailable("应答无法读取") from error

    def _unavailable(self, why: str) -> ChainUnavailable:
        return ChainUnavailable("链节点 {node}：{why}", node=self.shown, why=why)


def moment(time: int) -> str:
    """A block's time, ISO, UTC."""
    return datetime.fromtimestamp(time // 1000 if time > _MILLISECONDS else time, UTC).isoformat()


def _told(error: Web3RPCError) -> tuple[int, str]:
    """Code and words of a node's error, in small letters."""
    given = (error.rpc_response or {}).get("error")
    if isinstance(given, dict):
        return int(given.get("code", 0)), str(given.get("message", "")).lower()
    return 0, str(given or error.message).lower()


def _hex(value: Any) -> str:
    return bytes(value).hex()
