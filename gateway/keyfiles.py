"""The gateway's own key files under `<data>/keys`, mode 0600, made once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from gateway.proof import INTL, PublicKey, Signer, Suite, libcrypto
from gateway.vault import Keyring

_SIGNERS: Final = {"ed25519": "signer.key", "sm2": "signer-sm2.key"}
"""How the signer is written -> the file of its private key, 32 bytes."""


def write_private(path: Path, content: bytes) -> bool:
    """Puts a whole file in place for its owner only; False if there is one already, which is then left alone."""
    draft = _drafted(path, content)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _drafted(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def keyring(data: Path, suite: Suite = INTL) -> Keyring:
    """The vault's keys; made on first use, for this suite. Two processes starting at once end with the same ring."""
    path = _ring(data)
    if not path.exists():
        write_private(path, msgspec.json.encode(Keyring.new(suite)))
    return kept_keyring(data)


def kept_keyring(data: Path) -> Keyring:
    """The vault's keys as they are now. Raises FileNotFoundError: somebody took them away."""
    return msgspec.json.decode(_ring(data).read_bytes(), type=Keyring)


def keep_keyring(data: Path, ring: Keyring) -> None:
    """Puts a ring in the place of the old one, durably, before anything is encrypted under it."""
    path = _ring(data)
    _drafted(path, msgspec.json.encode(ring)).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _ring(data: Path) -> Path:
    return data / "keys" / "vault.json"


def signer(data: Path, suite: Suite) -> Signer:
    """Who signs batches and blocks of this suite; its key is made on first use. It knows what this gateway signed with before."""
    path = data / "keys" / _SIGNERS[suite.signing]
    if not path.exists():
        write_private(path, os.urandom(32) if suite is INTL else libcrypto.generate())
    earlier = [_public(data / "keys" / name, kind) for kind, name in _SIGNERS.items() if kind != suite.signing]
    return Signer(path.read_bytes(), suite.signing, tuple(filter(None, earlier)))


def _public(path: Path, algorithm: str) -> PublicKey | None:
    return Signer(path.read_bytes(), algorithm).public if path.exists() else None
