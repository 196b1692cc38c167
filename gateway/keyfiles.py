"""The gateway's own key files under `<data>/keys`, mode 0600, made once."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from gateway.vault import Keyring


def write_private(path: Path, content: bytes) -> bool:
    """Puts a whole file in place for its owner only; False if there is one already, which is then left alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def keyring(data: Path) -> Keyring:
    """The vault's keys; made on first use. Two processes starting at once end with the same ring."""
    path = data / "keys" / "vault.json"
    if not path.exists():
        write_private(path, msgspec.json.encode(Keyring.new()))
    return msgspec.json.decode(path.read_bytes(), type=Keyring)


def signing_seed(data: Path) -> bytes:
    """32 bytes: the Ed25519 seed with which this gateway signs batches and blocks."""
    path = data / "keys" / "signer.key"
    if not path.exists():
        write_private(path, os.urandom(32))
    return path.read_bytes()
