"""SM2 of the system's libcrypto (OpenSSL 3), which no Python package of ours offers: GB/T 32918, signatures and encryption.

Keys are raw: a private key is 32 bytes, a public key the 65 bytes `04 ‖ X ‖ Y`. Signatures are DER (GM/T 0009) over the
message's SM3 with the signer's id `1234567812345678` (GM/T 0009 §10); ciphertexts are DER, in the order C1 C3 C2. Every
call has contexts of its own and frees them; a key may be shared between threads, libcrypto counts who holds it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, Final
from weakref import finalize

from gateway.proof.errors import SuiteUnavailable

ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
"""Of the curve sm2p256v1."""
PRIVATE_BYTES: Final = 32
PUBLIC_BYTES: Final = 65
DISTID: Final = b"1234567812345678"
KEPT: Final = 64
_NAMES: Final = ("libcrypto.so.3", "libcrypto.3.dylib", "libcrypto-3-x64.dll")
_SPKI: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""SubjectPublicKeyInfo of an SM2 key, up to its point."""
_PKCS8: Final = bytes.fromhex("3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420")
"""PrivateKeyInfo of an SM2 key, up to its scalar."""
_POINTER: Final = ctypes.c_void_p


class Sm2Error(ValueError):
    """libcrypto refused: a key that is no point of the curve, a ciphertext that does not open. Says nothing of the data."""


class Key:
    """One key inside libcrypto, freed with this object."""

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        finalize(self, _lib().EVP_PKEY_free, pointer)


@lru_cache(KEPT)
def public_key(raw: bytes) -> Key:
    """Raises Sm2Error: no point of the curve."""
    if len(raw) != PUBLIC_BYTES or raw[0] != 4:
        raise Sm2Error("no public key")
    return _parsed(_lib().d2i_PUBKEY, _SPKI + raw)


@lru_cache(KEPT)
def private_key(raw: bytes) -> Key:
    """Raises Sm2Error: zero, or not below the order less one."""
    if len(raw) != PRIVATE_BYTES or not 0 < int.from_bytes(raw, "big") < ORDER - 1:
        raise Sm2Error("no private key")
    return _parsed(_lib().d2i_AutoPrivateKey, _PKCS8 + raw)


def generate() -> bytes:
    """A fresh private key."""
    return (secrets.randbelow(ORDER - 2) + 1).to_bytes(PRIVATE_BYTES, "big")


def public_of(private: bytes) -> bytes:
    """The public key of a private one. Raises Sm2Error."""
    lib, out = _lib(), _POINTER()
    size = lib.i2d_PUBKEY(private_key(private).pointer, ctypes.byref(out))
    if size <= PUBLIC_BYTES:
        raise _failed("i2d_PUBKEY")
    try:
        return ctypes.string_at(out, size)[-PUBLIC_BYTES:]
    finally:
        lib.CRYPTO_free(out, None, 0)


def sign(private: bytes, message: bytes) -> bytes:
    """A signature; randomised, so two over one message differ. Raises Sm2Error."""
    lib = _lib()
    with _digest(private_key(private), lib.EVP_DigestSignInit) as context:
        size = ctypes.c_size_t(0)
        _right(lib.EVP_DigestSign(context, None, ctypes.byref(size), message, len(message)), "EVP_DigestSign")
        out = ctypes.create_string_buffer(size.value)
        _right(lib.EVP_DigestSign(context, out, ctypes.byref(size), message, len(message)), "EVP_DigestSign")
        return out.raw[: size.value]


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this key signed this message. Raises Sm2Error for what is no public key."""
    lib = _lib()
    with _digest(public_key(public), lib.EVP_DigestVerifyInit) as context:
        said = lib.EVP_DigestVerify(context, signature, len(signature), message, len(message))
        lib.ERR_clear_error()
        return bool(said == 1)


def encrypt(public: bytes, data: bytes) -> bytes:
    """GB/T 32918.4. Raises Sm2Error."""
    return _crypt(public_key(public), "encrypt", data)


def decrypt(private: bytes, sealed: bytes) -> bytes:
    """Raises Sm2Error: for another key, or altered."""
    return _crypt(private_key(private), "decrypt", sealed)


def _crypt(key: Key, verb: str, data: bytes) -> bytes:
    lib = _lib()
    begin, run = getattr(lib, f"EVP_PKEY_{verb}_init"), getattr(lib, f"EVP_PKEY_{verb}")
    with _context(key) as context:
        _right(begin(context), verb)
        size = ctypes.c_size_t(0)
        _right(run(context, None, ctypes.byref(size), data, len(data)), verb)
        out = ctypes.create_string_buffer(max(size.value, 1))
        _right(run(context, out, ctypes.byref(size), data, len(data)), verb)
        return out.raw[: size.value]


@contextmanager
def _context(key: Key) -> Iterator[int]:
    lib = _lib()
    context = lib.EVP_PKEY_CTX_new(key.pointer, None)
    if not context:
        raise _failed("EVP_PKEY_CTX_new")
    try:
        yield context
    finally:
        lib.EVP_PKEY_CTX_free(context)


@contextmanager
def _digest(key: Key, begin: Any) -> Iterator[int]:
    """A digest context that knows the signer's id before it begins: OpenSSL 3.0 hashes it first of all."""
    lib = _lib()
    context = lib.EVP_MD_CTX_new()
    if not context:
        raise _failed("EVP_MD_CTX_new")
    try:
        with _context(key) as inner:
            _right(lib.EVP_PKEY_CTX_set1_id(inner, DISTID, len(DISTID)), "EVP_PKEY_CTX_set1_id")
            lib.EVP_MD_CTX_set_pkey_ctx(context, inner)
            _right(begin(context, None, lib.EVP_sm3(), None, key.pointer), "EVP_DigestInit")
            yield context
    finally:
        lib.EVP_MD_CTX_free(context)


def _parsed(read: Any, der: bytes) -> Key:
    source = ctypes.create_string_buffer(der, len(der))
    at = ctypes.cast(source, _POINTER)
    pointer = read(None, ctypes.byref(at), len(der))
    if not pointer:
        raise _failed("d2i")
    return Key(pointer)


def _right(said: int, where: str) -> None:
    if said != 1:
        raise _failed(where)


def _failed(where: str) -> Sm2Error:
    """Libcrypto's queue of errors is cleared: Python's own use of it must not find ours."""
    _lib().ERR_clear_error()
    return Sm2Error(where)


@cache
def _lib() -> Any:
    """Libcrypto with the signatures of what we call. Raises SuiteUnavailable: none, older than 3.0, or built without SM2."""
    lib = _loaded()
    try:
        for name, result, *arguments in _FUNCTIONS:
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
        if not lib.EVP_sm3():
            raise AttributeError("EVP_sm3")
    except AttributeError:
        raise SuiteUnavailable("本机的 libcrypto 不支持 SM2；套件 gm-1 需要 OpenSSL 3.0 以上、带 SM2 的版本") from None
    return lib


def _loaded() -> Any:
    for name in (*_NAMES, ctypes.util.find_library("crypto")):
        try:
            return ctypes.CDLL(name) if name else None
        except OSError:
            continue
    return None


_INT, _SIZE = ctypes.c_int, ctypes.c_size_t
_BYTES, _SIZE_REF, _REF = ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), ctypes.POINTER(ctypes.c_void_p)
_FUNCTIONS: Final[tuple[tuple[Any, ...], ...]] = (
    ("EVP_sm3", _POINTER),
    ("EVP_PKEY_free", None, _POINTER),
    ("d2i_PUBKEY", _POINTER, _POINTER, _REF, ctypes.c_long),
    ("d2i_AutoPrivateKey", _POINTER, _POINTER, _REF, ctypes.c_long),
    ("i2d_PUBKEY", _INT, _POINTER, _REF),
    ("CRYPTO_free", None, _POINTER, _BYTES, _INT),
    ("EVP_PKEY_CTX_new", _POINTER, _POINTER, _POINTER),
    ("EVP_PKEY_CTX_free", None, _POINTER),
    ("EVP_PKEY_CTX_set1_id", _INT, _POINTER, _BYTES, _SIZE),
    ("EVP_MD_CTX_new", _POINTER),
    ("EVP_MD_CTX_free", None, _POINTER),
    ("EVP_MD_CTX_set_pkey_ctx", None, _POINTER, _POINTER),
    ("EVP_DigestSignInit", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    ("EVP_DigestVerifyInit", _INT, _POINTER, _POINTER, _POINTER, _POINTER, _POINTER),
    ("EVP_DigestSign", _INT, _POINTER, _BYTES, _SIZE_REF, _BYTES, _SIZE),
    ("EVP_DigestVerify", _INT, _POINTER, _BYTES, _SIZE, _BYTES, _SIZE),
    ("EVP_PKEY_encrypt_init", _INT, _POINTER),
    ("EVP_PKEY_decrypt_init", _INT, _POINTER),
    ("EVP_PKEY_encrypt", _INT, _POINTER, _BYTES, _SIZE_REF, _BYTES, _SIZE),
    ("EVP_PKEY_decrypt", _INT, _POINTER, _BYTES, _SIZE_REF, _BYTES, _SIZE),
    ("ERR_clear_error", None),
)
"""Name, what it answers, what it takes."""
