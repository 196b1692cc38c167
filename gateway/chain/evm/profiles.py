"""What each engine allows a sender: one table (reference: docs/connect-a-chain.md). Never asked for on any engine:
`eth_feeHistory`, `eth_getProof`, historical state, `eth_sendTransaction`; transactions are legacy, signed here (EIP-155).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Profile:
    """The limits of one engine."""

    name: str
    calldata: int
    """Bytes of input that a transaction may carry."""
    logs_window: int
    """Blocks that one `eth_getLogs` answers; FISCO BCOS cuts what is beyond it off without a word."""
    rpc_batch: int
    """Calls in one JSON-RPC batch."""
    long_extra_data: bool
    """Block headers carry the validators' seals, more than Ethereum's 32 bytes."""
    funded: bool
    """A sender without a balance is refused, whatever the gas costs."""
    confirmations: int
    """Blocks from the one that holds a batch, itself included, until it is final. BFT engines: 1."""
    resend: float
    """Seconds after which a transaction nobody has mined is sent again, the same bytes."""


PROFILES: Final = {
    p.name: p
    for p in (
        # v3.16: input ≤ 2·0x6000 bytes, filter_max_process_block=10, batch_request_size_limit=8, checkSenderBalance
        Profile("fisco-bcos", 49_152, 10, 8, long_extra_data=True, funded=True, confirmations=1, resend=10.0),
        # pool limit 128 KiB less what surrounds the input; rpc-max-logs-range 5000; rpc-http-max-batch-size 1024
        Profile("besu-qbft", 130_000, 1000, 200, long_extra_data=True, funded=False, confirmations=1, resend=10.0),
        Profile("dev", 130_000, 1000, 100, long_extra_data=False, funded=False, confirmations=1, resend=2.0),
    )
}
NARROWEST: Final = Profile("narrowest", 49_152, 10, 8, long_extra_data=True, funded=True, confirmations=1, resend=10.0)
"""For a reader that does not know the engine: what every one of them allows."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A node, and which chain and contract must be behind it. `contract` is None before it is deployed."""

    url: str
    chain_id: int
    contract: str | None
    timeout: float = 10.0
    ca: Path | None = None
    client: tuple[Path, Path] | None = None
    """Certificate and key of this client, for a node behind mutual TLS."""

    @property
    def ledger(self) -> str:
        """How receipts name this chain, the same for everybody: `evm:<chain id>:<contract>`."""
        return f"evm:{self.chain_id}:{(self.contract or '').lower()}"
