"""Passwords, one-time codes and random secrets, as they are made, judged and kept. Pure but for randomness."""

from __future__ import annotations

import os
import secrets
from base64 import b32encode, b64encode
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from gateway.errors import Usage

COST: Final = (3, 4, 64 * 1024)
"""Passes, lanes, KiB of memory: RFC 9106 §4, second choice."""
SHORT: Final = 10
LONG: Final = 16
LONGEST: Final = 128
KINDS: Final = 3
STEP: Final = 30
"""Seconds a one-time code lives; one before and one after are taken too."""
KEY_MARK: Final = "sq_"
PREFIX: Final = 11
"""Characters of an API key that are kept in the clear, so that people can tell keys apart."""


def hashed(password: str) -> str:
    """Argon2id in its PHC form."""
    passes, lanes, memory = COST
    made = Argon2id(salt=os.urandom(16), length=32, iterations=passes, lanes=lanes, memory_cost=memory)
    return made.derive_phc_encoded(password.encode())


def is_password(password: str, kept: str) -> bool:
    """Whether this is the password; takes as long either way."""
    try:
        Argon2id.verify_phc_encoded(password.encode(), kept)
    except InvalidKey:
        return False
    return True


def acceptable(password: str, name: str) -> None:
    """Raises Usage: too short, too plain, or it holds the log-in name."""
    kinds = sum(
        any(test(c) for c in password)
        for test in (str.islower, str.isupper, str.isdigit, lambda c: not c.isascii() or not c.isalnum())
    )
    if not (SHORT <= len(password) <= LONGEST) or (len(password) < LONG and kinds < KINDS):
        raise Usage("口令至少 {short} 位，含大写、小写、数字、符号中的三种；或至少 {long} 位", short=SHORT, long=LONG)
    if name in password.lower() or len(set(password)) < SHORT // 2:
        raise Usage("口令不能含登录名，也不能由少数几个字符重复而成")


def first_password() -> str:
    """One to begin with: 96 bits, to be replaced by its owner's own."""
    return "-".join(b32encode(os.urandom(5)).decode().lower()[:5] for _ in range(4)) + "-Q7"


def secret() -> str:
    """256 bits, as text."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> bytes:
    """How a random secret is kept: it needs no slow hash, for nobody guesses 256 bits."""
    return sha256(text.encode()).digest()


def same(given: str, expected: str) -> bool:
    """Compared in constant time."""
    return compare_digest(given.encode(), expected.encode())


def new_key() -> str:
    """The whole text of an API key, shown once."""
    return KEY_MARK + secret()


def form_token(cookie: str) -> str:
    """What a form or htmx must bring beside this cookie: another site can neither read nor make it (CSRF)."""
    mac = hmac.HMAC(cookie.encode(), SHA256())
    mac.update(b"shuqiao/1/csrf")
    return b64encode(mac.finalize(), b"-_").decode().rstrip("=")


def totp_key() -> bytes:
    """160 bits, as RFC 4226 asks."""
    return os.urandom(20)


def totp_uri(key: bytes, name: str) -> str:
    """What an authenticator reads from a square code."""
    return _totp(key).get_provisioning_uri(name, "Shuqiao")


def totp_text(key: bytes) -> str:
    """The same for who types it."""
    return b32encode(key).decode()


def totp_step(key: bytes, code: str, now: float) -> int | None:
    """The step of time this code belongs to, now or one off; None: it is no code of this key."""
    for step in (int(now) // STEP + off for off in (0, -1, 1)):
        try:
            _totp(key).verify(code.strip().encode(), step * STEP)
        except InvalidToken:
            continue
        return step
    return None


def totp_code(key: bytes, now: float) -> str:
    """What an authenticator shows."""
    return _totp(key).generate(int(now)).decode()


def _totp(key: bytes) -> TOTP:
    return TOTP(key, 6, SHA1(), STEP, enforce_key_length=False)  # noqa: S303 # RFC 6238 as every authenticator speaks it
