"""The vault: names nobody can guess, ciphertexts nobody can move, keys that rotate and erase."""

import hmac
from hashlib import blake2b

import msgspec
import pytest
from cryptography.exceptions import InvalidTag

from gateway.errors import Usage
from gateway.proof import GM, INTL
from gateway.vault import Keyring, Vault, handle_bytes, handle_text
from tests.support.suite import SUITE

RING = Keyring.new(SUITE)
VAULT = Vault(RING)
HANDLE = VAULT.name("observation", "x")


def test_names_are_keyed_hashes_of_160_bits() -> None:
    text = "subject\0甲".encode()
    keyed = {
        "intl-1": blake2b(text, digest_size=20, key=RING.names).digest(),
        "gm-1": hmac.digest(RING.names, text, "sm3")[:20],
    }
    want = keyed[SUITE.name]
    assert VAULT.name("subject", "甲") == want
    assert VAULT.namer("subject")(["甲", "乙"]) == [want, VAULT.name("subject", "乙")]
    assert VAULT.name("subject", "甲") != VAULT.name("index/unit", "甲")
    assert VAULT.name("subject", "甲") != Vault(Keyring.new(SUITE)).name("subject", "甲")


def test_a_ring_from_before_keeps_its_names() -> None:
    old = msgspec.json.decode(
        msgspec.json.encode({"current": "m1", "masters": {"m1": b"m" * 32}, "names": b"n" * 32, "answers": b"a" * 32}),
        type=Keyring,
    )
    assert Vault(old).name("subject", "甲") == hmac.digest(b"n" * 32, "subject\0甲".encode(), "sha256")[:20]


def test_handles_read_back() -> None:
    assert handle_bytes(handle_text(HANDLE)) == HANDLE
    assert len(handle_text(HANDLE)) == 32
    for wrong in ("", "abc", "1" * 32, handle_text(HANDLE) + "a" * 8):
        with pytest.raises(ValueError):
            handle_bytes(wrong)


def test_a_version_opens_only_as_itself() -> None:
    rest, (first, second) = VAULT.new_keys(2)
    sealed, other = VAULT.seal_versions(rest, [1, 1], [HANDLE, HANDLE], [b"{}", b"{}"])
    assert VAULT.open_version(VAULT.unwrap(first), 1, HANDLE, sealed, SUITE.name) == b"{}"
    assert sealed[:12] != other[:12]
    for wrapped, number, handle in ((second, 1, HANDLE), (first, 2, HANDLE), (first, 1, bytes(20))):
        with pytest.raises(InvalidTag):
            VAULT.open_version(VAULT.unwrap(wrapped), number, handle, sealed, SUITE.name)


def test_an_altered_wrapped_key_opens_nothing() -> None:
    rest, (wrapped,) = VAULT.new_keys(1)
    (sealed,) = VAULT.seal_versions(rest, [1], [HANDLE], [b"{}"])
    altered = wrapped[:36] + bytes([wrapped[36] ^ 1]) + wrapped[37:]
    with pytest.raises(InvalidTag):
        VAULT.open_version(VAULT.unwrap(altered), 1, HANDLE, sealed, SUITE.name)


def test_old_masters_still_open_after_a_rotation() -> None:
    (rest,), (wrapped,) = VAULT.new_keys(1)
    sealed = VAULT.seal("cursor", b"1")
    turned = Vault(RING.rotated())
    assert turned.unwrap(wrapped).rest == rest
    assert turned.open("cursor", sealed) == b"1"
    assert turned.seal("cursor", b"1")[:4] != sealed[:4]


def test_a_vault_follows_a_rotation_but_never_into_another_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a master could be forgotten that a running process still encrypts under."""
    monkeypatch.setattr("gateway.vault.RING_SECONDS", -1.0)
    turned = RING.rotated()
    vault = Vault(RING, lambda: turned)
    writes = [vault.seal("cursor", b""), vault.new_keys(1)[1][0], vault.rewrap(VAULT.new_keys(1)[1][0])]
    assert {sealed[:2] for sealed in writes} == {b"m2"}
    turned = turned.rotated(GM if SUITE is INTL else INTL)
    for write in (
        lambda: vault.seal("cursor", b""),
        lambda: vault.new_keys(1),
        lambda: vault.seal_versions([], [], [], []),
    ):
        with pytest.raises(Usage, match="重启"):
            write()
    assert vault.open("cursor", writes[0]) == b""


def test_a_purpose_is_bound() -> None:
    with pytest.raises(InvalidTag):
        VAULT.open("evidence", VAULT.seal("cursor", b"1"))


def test_equal_rows_have_equal_digests_within_a_feed_only() -> None:
    assert VAULT.recogniser("a")(b"row") == VAULT.recogniser("a")(b"row")
    assert VAULT.recogniser("a")(b"row") != VAULT.recogniser("b")(b"row")
