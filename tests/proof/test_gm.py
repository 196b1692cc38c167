"""国密: published vectors of GB/T 32905, 32907, 32918 and RFC 8998, and another implementation as the oracle."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time

import pytest
from gmssl import sm2 as oracle

from gateway.proof import GM, SuiteUnavailable, libcrypto
from gateway.proof.keys import expand_sm3

PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "04"
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
"""The key of GB/T 32918.5."""


def integer(number: bytes) -> bytes:
    """In DER."""
    body = number.lstrip(b"\0")
    body = b"\0" + body if body[0] & 0x80 else body
    return bytes([2, len(body)]) + body


def sequence(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([0x30, len(body)] if len(body) < 0x80 else [0x30, 0x81, len(body)]) + body


def test_sm3() -> None:
    assert GM.hash(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert GM.hash(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_gcm() -> None:
    """RFC 8998, A.1."""
    key, nonce = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"), bytes.fromhex("00001234567800000000ABCD")
    associated = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([digit * 17]) * 8 for digit in (10, 11, 12, 13, 14, 15, 14, 10))
    sealed = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
        "83DE3541E4C2B58177E065A9BF7B62EC"
    )
    assert GM.seal(key + bytes(16), nonce, plain, associated) == sealed
    assert GM.open(key + bytes(16), nonce, sealed, associated) == plain


def test_the_expansion_is_hmac_sm3_in_counter_mode() -> None:
    def hmac_sm3(key: bytes, message: bytes) -> bytes:
        padded = key.ljust(64, b"\0")
        inner = hashlib.new("sm3", bytes(b ^ 0x36 for b in padded) + message).digest()
        return hashlib.new("sm3", bytes(b ^ 0x5C for b in padded) + inner).digest()

    message = b"shuqiao/1/group\0" + (7).to_bytes(8, "big") + b"money"
    wanted = hmac_sm3(b"k" * 32, message + b"\1") + hmac_sm3(b"k" * 32, message + b"\2")
    assert expand_sm3(b"k" * 32, 7, "money") == wanted
    assert hmac.digest(b"k" * 32, message, "sm3") == hmac_sm3(b"k" * 32, message)


def test_a_public_key_follows_from_its_private_one() -> None:
    assert libcrypto.public_of(PRIVATE) == PUBLIC


def test_the_published_signature_holds() -> None:
    r = bytes.fromhex("F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3")
    s = bytes.fromhex("B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA")
    signature = sequence(integer(r), integer(s))
    assert libcrypto.verify(PUBLIC, b"message digest", signature)
    assert not libcrypto.verify(PUBLIC, b"message digesu", signature)
    assert not libcrypto.verify(PUBLIC, b"message digest", sequence(integer(s), integer(r)))


def test_the_published_ciphertext_opens() -> None:
    """In the order C1 C3 C2."""
    x = bytes.fromhex("04EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73")
    y = bytes.fromhex("E858F9D81E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0")
    c3 = bytes.fromhex("59983C18F809E262923C53AEC295D30383B54E39D609D160AFCB1908D0BD8766")
    c2 = bytes.fromhex("21886CA989CA9C7D58087307CA93092D651EFA")
    sealed = sequence(integer(x), integer(y), bytes([4, len(c3)]) + c3, bytes([4, len(c2)]) + c2)
    assert libcrypto.decrypt(PRIVATE, sealed) == b"encryption standard"


def other(private: bytes) -> oracle.CryptSM2:
    public = libcrypto.public_of(private)[1:].hex()
    return oracle.CryptSM2(private_key=private.hex(), public_key=public, mode=1, asn1=True)


def test_another_implementation_agrees_on_signatures() -> None:
    for _ in range(3):
        key = libcrypto.generate()
        theirs = other(key)
        assert theirs.verify_with_sm3(libcrypto.sign(key, b"message").hex(), b"message")
        assert libcrypto.verify(libcrypto.public_of(key), b"message", bytes.fromhex(theirs.sign_with_sm3(b"message")))


def test_another_implementation_agrees_on_encryption() -> None:
    key = libcrypto.generate()
    theirs = oracle.CryptSM2(private_key=key.hex(), public_key=libcrypto.public_of(key)[1:].hex(), mode=1)
    raw = theirs.encrypt(b"0123456789abcdef")
    x, y, c3, c2 = raw[:32], raw[32:64], raw[64:96], raw[96:]
    sealed = sequence(integer(x), integer(y), bytes([4, len(c3)]) + c3, bytes([4, len(c2)]) + c2)
    assert libcrypto.decrypt(key, sealed) == b"0123456789abcdef"


@pytest.mark.parametrize("raw", [b"", bytes(65), b"\4" + bytes(64), PUBLIC[:-1], PUBLIC[:-1] + b"\0"])
def test_what_is_no_point_is_no_public_key(raw: bytes) -> None:
    with pytest.raises(libcrypto.Sm2Error):
        libcrypto.verify(raw, b"message", b"")


@pytest.mark.parametrize("number", [0, libcrypto.ORDER - 1, libcrypto.ORDER, 2**256 - 1])
def test_what_is_no_scalar_is_no_private_key(number: int) -> None:
    with pytest.raises(libcrypto.Sm2Error):
        libcrypto.sign(number.to_bytes(32, "big"), b"message")


def test_a_signature_for_another_key_or_of_garbage_does_not_hold() -> None:
    signature, other_key = libcrypto.sign(PRIVATE, b"m"), libcrypto.public_of(libcrypto.generate())
    assert not libcrypto.verify(other_key, b"m", signature)
    for garbage in (b"", b"\0" * 70, signature[:-1], signature + b"\0"):
        assert not libcrypto.verify(PUBLIC, b"m", garbage)


def test_what_another_key_encrypted_to_does_not_open() -> None:
    sealed = libcrypto.encrypt(PUBLIC, b"k" * 32)
    assert libcrypto.decrypt(PRIVATE, sealed) == b"k" * 32
    with pytest.raises(libcrypto.Sm2Error):
        libcrypto.decrypt(libcrypto.generate(), sealed)
    with pytest.raises(libcrypto.Sm2Error):
        libcrypto.decrypt(PRIVATE, sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_threads_share_a_key() -> None:
    wrong: list[int] = []

    def work(n: int) -> None:
        for i in range(40):
            message = f"{n} {i}".encode()
            if not libcrypto.verify(PUBLIC, message, libcrypto.sign(PRIVATE, message)):
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_signing_is_far_faster_than_in_python() -> None:
    began = time.perf_counter()
    for n in range(100):
        libcrypto.sign(PRIVATE, n.to_bytes(2, "big"))
    assert time.perf_counter() - began < 1.0


def test_a_libcrypto_without_sm2_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "_loaded", lambda: None)
    libcrypto._lib.cache_clear()  # what was found is kept for good
    try:
        with pytest.raises(SuiteUnavailable, match="OpenSSL 3"):
            libcrypto.sign(libcrypto.generate(), b"m")
    finally:
        libcrypto._lib.cache_clear()  # as above


def test_a_python_without_sm3_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def new(name: str, _data: bytes = b"") -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr("gateway.proof.suite.hashlib.new", new)
    with pytest.raises(SuiteUnavailable, match="SM3"):
        GM.hash(b"m")
