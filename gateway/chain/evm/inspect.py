"""Whether a sink could anchor now, layer by layer, for a person who connects a chain. Changes nothing on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.chain.base import ChainError
from gateway.chain.evm.contract import NOBODY, artefact
from gateway.chain.evm.sink import REASONS, EvmChain


@dataclass(frozen=True, slots=True)
class Finding:
    """One layer. `sentence` is Chinese, with what was seen or what is wrong."""

    layer: str
    ok: bool
    sentence: str


def findings(chain: EvmChain) -> Iterator[Finding]:
    """From the address up; ends at the first layer that makes the next ones meaningless."""
    node, sender = chain.node, chain.sender.address
    layers: list[tuple[str, Callable[[], tuple[bool, str]]]] = [
        ("节点", lambda: (True, f"{node.shown} 应答，区块高度 {node.tip()}")),
        ("链号", lambda: _same(node.chain_id(), chain.endpoint.chain_id)),
        ("创世块", lambda: _pinned(chain)),
        ("合约", lambda: _contract(chain)),
        ("账户", lambda: _account(chain)),
        ("写入权", lambda: _rights(chain)),
    ]
    for layer, look in layers:
        try:
            ok, sentence = look()
        except ChainError as error:
            ok, sentence = False, str(error)
        yield Finding(layer, ok, sentence)
        if not ok and layer in ("节点", "链号", "合约"):
            return
    yield Finding("序号", True, f"账户 {sender} 的下一个序号 {node.nonce(sender)}")


def _same(found: int, wanted: int) -> tuple[bool, str]:
    return (True, str(found)) if found == wanted else (False, f"节点的链号是 {found}，配置写的是 {wanted}")


def _pinned(chain: EvmChain) -> tuple[bool, str]:
    genesis, pinned = chain.node.header(0), chain.pinned()
    if genesis is None:
        return False, "节点不给出创世块"
    if pinned is not None and pinned.genesis != genesis.hash:
        return False, f"与首次使用时不同：现在 {genesis.hash[:16]}，当时 {pinned.genesis[:16]}"
    return True, genesis.hash


def _contract(chain: EvmChain) -> tuple[bool, str]:
    code = chain.node.code_hash(chain.contract)
    if code is None:
        return False, f"地址 {chain.contract} 没有合约"
    if code != artefact().code_hash:
        return False, f"地址 {chain.contract} 的代码不是本版本的合约"
    return True, chain.contract


def _account(chain: EvmChain) -> tuple[bool, str]:
    balance = chain.node.balance(chain.sender.address)
    if not balance and chain.profile.funded:
        return False, f"账户 {chain.sender.address} 没有余额，这种链会拒绝它的交易"
    return True, f"{chain.sender.address} 余额 {balance}"


def _rights(chain: EvmChain) -> tuple[bool, str]:
    if chain.node.view(chain.contract, "paused"):
        return False, REASONS["IsPaused"]
    bureau, wanted = (
        bytes(chain.node.view(chain.contract, "bureauOf", chain.sender.address)),
        chain.bureau(chain.signer),
    )
    if bureau != wanted:
        what = REASONS["NotWriter"] if bureau == NOBODY else f"本账户登记在另一个名字 {bureau.hex()[:16]} 名下"
        return False, f"{what}；请合约管理员执行 setWriter({chain.sender.address}, 0x{wanted.hex()})"
    return True, f"登记在 {bureau.hex()[:16]} 名下"
