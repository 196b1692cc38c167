"""What a gateway encrypts and signs with, and that its file says so too."""

from __future__ import annotations

from pathlib import Path

from gateway.config import Config
from gateway.errors import Usage
from gateway.keyfiles import kept_keyring, keyring, signer
from gateway.proof import INTL, Signer, Suite, suite_named
from gateway.vault import Vault


def opened(data: Path, draft: Config) -> tuple[Vault, Signer]:
    """The vault and the signer; made on first use for the suite of the draft, whose public keys are left for members to pin."""
    vault = Vault(
        keyring(data, suite_named(draft.gateway.suite) if draft.gateway else INTL), lambda: kept_keyring(data)
    )
    found = signer(data, vault.suite)
    path, lines = public_path(data), found.public.lines
    if not path.exists() or path.read_text("ascii") != lines:
        path.write_text(lines, "ascii")
    return vault, found


def public_path(data: Path) -> Path:
    """Where the signer's public keys lie."""
    return data / "keys" / "signer.pub"


def agreed_suite(config: Config, vault: Vault) -> Suite:
    """The algorithms of everything that leaves from now on.

    Raises:
        Usage: the published configuration names another suite than the key ring's.
    """
    assert config.gateway is not None
    asked, ours = config.gateway.suite, vault.suite
    if asked != ours.name:
        raise Usage(
            "gateway.yaml 的算法套件是 {asked}，本机密钥环是 {ours}；要换过去，请运行 shuqiao keys rewrap",
            asked=asked,
            ours=ours.name,
        )
    return ours
