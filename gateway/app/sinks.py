"""The sinks of gateway.yaml, built and re-checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.chain import Chain, ChainBroken, Head, LocalChain
from gateway.chain.evm import PROFILES, Endpoint
from gateway.config import Config, EvmSinkModel, resolve
from gateway.errors import Usage
from gateway.lanes import StoreJournal
from gateway.proof import Signer
from gateway.store import Store


def chains(config: Config, data: Path, store: Store, signer: Signer) -> Mapping[str, Chain]:
    """Every sink, by name, in the order of the file.

    Raises:
        Usage: what an EVM sink needs is not installed, or its sender's key is not where the configuration says.
    """
    assert config.gateway is not None
    return {
        name: _evm(name, sink, config.root, store, signer)
        if isinstance(sink, EvmSinkModel)
        else LocalChain(data / sink.path, signer, name)
        for name, sink in config.gateway.sinks.items()
    }


def _evm(name: str, sink: EvmSinkModel, root: Path, store: Store, signer: Signer) -> Chain:
    """A sink at a consortium node; only now is its client library needed."""
    try:
        from gateway.chain.evm.lane import account_of
        from gateway.chain.evm.sink import EvmChain
    except ImportError as error:
        raise Usage("{sink} 是 evm 链，请先安装：pip install 'shuqiao[evm]'", sink=name) from error
    try:
        key = resolve(sink.secrets.sender, root)
    except LookupError as error:
        raise Usage("{sink} 的账户私钥取不到：{why}", sink=name, why=str(error)) from error
    certificate, private = sink.client_cert, sink.client_key
    endpoint = Endpoint(
        url=sink.url,
        chain_id=sink.chain_id,
        contract=sink.contract,
        timeout=sink.timeout.total_seconds(),
        ca=root / sink.ca if sink.ca else None,
        client=(root / certificate, root / private) if certificate and private else None,
    )
    return EvmChain(
        name,
        endpoint,
        PROFILES[sink.profile],
        signer,
        StoreJournal(store, name, str(account_of(key).address).lower()),
        key,
        gas_price=sink.gas_price,
        confirmations=sink.confirmations,
        window=sink.window,
    )


def verified(name: str, chain: Chain, store: Store) -> int:
    """Re-checks one sink from its first block on, against our own receipts; the number of blocks.

    Raises:
        ChainBroken: names the block that does not hold.
    """
    with store.read() as tx:
        confirmed = tx.all("deliveries_confirmed", sink=name)
    newest = max(confirmed, key=lambda row: int(row.block), default=None)
    expected = Head(int(newest.block), newest.block_hash) if newest else None
    blocks = chain.verify(expected_head=expected).number
    for row in confirmed:
        receipt = chain.receipt(row.batch_id)
        if receipt is None or (str(receipt.block), receipt.block_hash) != (row.block, row.block_hash):
            raise ChainBroken(int(row.block), "与网关保存的回执不符：区块不在，或已被替换")
    return blocks
