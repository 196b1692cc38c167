"""ConsortiumAnchor as the gateway ships it: its artefact, a batch in its form, and what its refusals say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from gateway.proof import Manifest
from gateway.proof.signing import PublicKey
from gateway.proof.suite import GM, framed

KINDS: Final = ("versions", "consents", "queries", "erasures", "audit")
NOBODY: Final = bytes(32)
GAS_BASE: Final = 600_000
GAS_BYTE: Final = 64
"""More than an anchor ever used (docs/connect-a-chain.md); what is not used is not charged."""
DEPLOY_GAS: Final = 3_000_000
_BATCH: Final = "(bytes32,uint8,bytes32,bytes32,bytes32,uint64,uint64,bytes,bytes)"
_ERRORS: Final = {
    "AlreadyAnchored": "bytes32,bytes32,bytes32",
    "OutOfOrder": "bytes32,bytes32,uint64",
    "Malformed": "",
    "NotAdmin": "address",
    "NotWriter": "address",
    "LastAdmin": "",
    "IsPaused": "",
}
_BUREAU_DOMAIN: Final = b"shuqiao/1/bureau"
_STREAM_DOMAIN: Final = b"shuqiao/1/stream"


class Artefact(msgspec.Struct, frozen=True):
    """What `make contract` wrote."""

    contract: str
    compiler: str
    evm: str
    optimizer: int
    source: str
    """SHA-256 of the Solidity source."""
    abi: list[dict[str, Any]]
    bytecode: str
    runtime: str

    @property
    def code_hash(self) -> str:
        return keccak(hexstr=self.runtime).hex()


@cache
def artefact() -> Artefact:
    text = files("gateway.chain.evm").joinpath("ConsortiumAnchor.json").read_bytes()
    return msgspec.json.decode(text, type=Artefact)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the contract keeps of a batch."""

    root: bytes
    content: bytes
    stream: bytes
    previous: bytes
    first: int
    last: int
    block: int
    kind: int
    writer: str


def bureau_of(signer: PublicKey) -> bytes:
    """A bureau's name in the contract: the public key that signs its manifests, or of one longer than a name its SM3."""
    return signer.raw if len(signer.raw) == len(NOBODY) else GM.hash(framed(_BUREAU_DOMAIN, signer.raw))


def batch_of(manifest: Manifest, encoded: bytes, signature: bytes) -> tuple[Any, ...]:
    """A signed manifest in the contract's form. `stream` is a hash, since a stream's name may be longer than 32 bytes."""
    return (
        bytes.fromhex(manifest.batch_id),
        KINDS.index(manifest.kind),
        keccak(framed(_STREAM_DOMAIN, manifest.stream.encode())),
        bytes.fromhex(manifest.previous) if manifest.previous else NOBODY,
        bytes.fromhex(manifest.root),
        manifest.first,
        manifest.last,
        encoded,
        signature,
    )


def content_of(batch: tuple[Any, ...]) -> bytes:
    """What the contract keeps as `content`."""
    return keccak(encode([_BATCH], [batch]))


def gas_for(data: bytes) -> int:
    return GAS_BASE + GAS_BYTE * len(data)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A typed error of the contract, or what a node said instead of one."""

    name: str
    values: tuple[Any, ...] = ()


def refusal(data: str | None, said: str = "") -> Refusal:
    """Reads revert data (`0x…`)."""
    raw = bytes.fromhex((data or "").removeprefix("0x"))
    for name, types in _ERRORS.items():
        if raw[:4] == keccak(text=f"{name}({types})")[:4]:
            return Refusal(name, tuple(decode(types.split(",") if types else [], raw[4:])))
    return Refusal(said or "revert")
