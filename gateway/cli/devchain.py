"""A development chain for `demo`: a node of its own, a fresh account, the contract, and a configuration that names them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from ruamel.yaml import YAML

from gateway.chain import Chain
from gateway.errors import Usage
from gateway.keyfiles import write_private
from gateway.settings import Settings

CHAIN_ID: Final = 20200
SINK: Final = "chain"
START_SECONDS: Final = 20.0


@contextmanager
def dev_chain(anvil: Path, settings: Settings) -> Iterator[Settings]:
    """Runs a node with blocks of one second until the block ends; yields settings whose configuration delivers there.

    Raises:
        Usage: the node does not start.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--chain-id", str(CHAIN_ID), "--block-time", "1", "--base-fee", "0", "--gas-price", "0", "--silent"]
    try:
        node = subprocess.Popen([str(anvil), "--host", "127.0.0.1", "--port", str(port), *options])  # noqa: S603 # named by who runs the demo
    except OSError as error:
        raise Usage("开发链节点 {anvil} 没有启动", anvil=str(anvil)) from error
    try:
        url = f"http://127.0.0.1:{port}"
        _await(url, node, anvil)
        yield settings.model_copy(update={"config": _configured(settings, url)})
    finally:
        node.terminate()
        node.wait()


def deploy(chain: Chain) -> str:
    """Deploys the contract of the demo; its address."""
    from gateway.chain.evm.sink import EvmChain

    assert isinstance(chain, EvmChain)
    return chain.deploy()[0]


def _await(url: str, node: subprocess.Popen[bytes], anvil: Path) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    deadline = time.monotonic() + START_SECONDS
    while node.poll() is None and time.monotonic() < deadline:
        try:
            httpx.post(url, json=asked, timeout=2, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise Usage("开发链节点 {anvil} 没有启动", anvil=str(anvil))


def _configured(settings: Settings, url: str) -> Path:
    """A copy of the configuration in the data directory, its only sink the chain; the account's key beside it."""
    home = settings.data / "config"
    shutil.copytree(settings.config, home)
    write_private(home / "secrets" / "chain-account", os.urandom(32).hex().encode())
    file = home / "gateway.yaml"
    yaml = YAML()
    said: Any = yaml.load(file.read_text("utf-8"))
    secrets = {"sender": {"file": "secrets/chain-account"}}
    said["sinks"] = {SINK: {"kind": "evm", "profile": "dev", "url": url, "chain_id": CHAIN_ID, "secrets": secrets}}
    with file.open("w", encoding="utf-8") as target:
        yaml.dump(said, target)
    return home
