"""The vault: names nobody can guess, ciphertexts nobody can move, keys that rotate and erase."""

import hmac

import pytest
from cryptography.exceptions import InvalidTag

from gateway.vault import Keyring, Vault, handle_bytes, handle_text

RING = Keyring.new()
VAULT = Vault(RING)
HANDLE = VAULT.name("observation", "x")


def test_names_are_hmac_sha_256_cut_to_160_bits() -> None:
    assert VAULT.name("subject", "甲") == hmac.digest(RING.names, "subject\0甲".encode(), "sha256")[:20]
    assert VAULT.name("subject", "甲") != VAULT.name("index/unit", "甲")
    assert VAULT.name("subject", "甲") != Vault(Keyring.new()).name("subject", "甲")


def test_handles_read_back() -> None:
    assert handle_bytes(handle_text(HANDLE)) == HANDLE
    assert len(handle_text(HANDLE)) == 32
    for wrong in ("", "abc", "1" * 32, handle_text(HANDLE) + "a" * 8):
        with pytest.raises(ValueError):
            handle_bytes(wrong)


def test_a_version_opens_only_as_itself() -> None:
    first, second = VAULT.new_keys(2)
    sealed = VAULT.seal_version(first, 1, HANDLE, b"{}", VAULT.noise(12))
    assert VAULT.open_version(VAULT.unwrap(first.wrapped), 1, HANDLE, sealed) == b"{}"
    for key, number, handle in ((second, 1, HANDLE), (first, 2, HANDLE), (first, 1, bytes(20))):
        with pytest.raises(InvalidTag):
            VAULT.open_version(key, number, handle, sealed)


def test_an_altered_wrapped_key_opens_nothing() -> None:
    (key,) = VAULT.new_keys(1)
    sealed = VAULT.seal_version(key, 1, HANDLE, b"{}", VAULT.noise(12))
    altered = key.wrapped[:-1] + bytes([key.wrapped[-1] ^ 1])
    with pytest.raises(InvalidTag):
        VAULT.open_version(VAULT.unwrap(altered), 1, HANDLE, sealed)


def test_old_masters_still_open_after_a_rotation() -> None:
    (key,) = VAULT.new_keys(1)
    sealed = VAULT.seal("cursor", b"1")
    turned = Vault(RING.rotated())
    assert turned.unwrap(key.wrapped) == key
    assert turned.open("cursor", sealed) == b"1"
    assert turned.seal("cursor", b"1")[:4] != sealed[:4]


def test_a_purpose_is_bound() -> None:
    with pytest.raises(InvalidTag):
        VAULT.open("evidence", VAULT.seal("cursor", b"1"))


def test_equal_rows_have_equal_digests_within_a_feed_only() -> None:
    assert VAULT.recogniser("a")(b"row") == VAULT.recogniser("a")(b"row")
    assert VAULT.recogniser("a")(b"row") != VAULT.recogniser("b")(b"row")
