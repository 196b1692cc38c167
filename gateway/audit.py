"""Who did what: hash-linked audit entries, and the one authorisation hook. Pure; the store keeps them.

An entry never holds personal data: targets and details are handles, counts and codes, and anything else is refused here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

import msgspec

from gateway.errors import Told, Usage
from gateway.scope import Place, Scope

Detail: TypeAlias = Mapping[str, str | int | bool]

GENESIS: Final = ""
"""`previous` of the first entry."""

_DOMAIN: Final = "shuqiao/1/audit"
_CODE = re.compile(r"[A-Za-z0-9 ._:/+=,-]*")
_NAME = re.compile(r"\w[\w.@+\\ -]{0,63}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PERSONAL = re.compile(r"(?<![0-9A-Za-z])(?:\d{15}|\d{17}[0-9Xx]|1[3-9]\d{9}|\d{16,19})(?![0-9A-Za-z])")
"""ID numbers of both generations, mobile numbers, card numbers; a word on its own, so that hashes may hold digits."""
_MAX_COUNT: Final = 10**10
"""Counts stay below the smallest mobile number."""
_MAX_TARGET: Final = 4000
_MAX_TEXT: Final = 128


def names_a_person(text: str) -> bool:
    """Whether a free text holds what looks like an ID, mobile or card number: what people write must not."""
    return bool(_PERSONAL.search(text))


def stated(reason: str, most: int = 200) -> str:
    """Why somebody decided something, as it is kept. Raises Usage: it says nothing, or names a person."""
    reason = reason.strip()
    if not 3 <= len(reason) <= most:
        raise Usage("请写明原因（3 到 {most} 字）", most=most)
    if names_a_person(reason):
        raise Usage("原因里像是有证件号或电话号码，请改写：台账不留个人信息")
    return reason


class PersonalData(ValueError):
    """Something that could be a person's data was about to enter the audit log. The message names the place, never the value."""


class Action(StrEnum):
    """Every verb that passes the hook."""

    SYNC = "sync"
    PAUSE = "pause"
    RESUME = "resume"
    RESET_CURSOR = "reset_cursor"
    RESUME_ACCOUNT = "resume_account"
    PREVIEW = "preview"
    CHECK = "check"
    WSDL_SHOW = "wsdl_show"
    WSDL_ACCEPT = "wsdl_accept"
    ACCEPT_DRIFT = "accept_drift"
    DISCOVER = "discover"
    SAMPLE = "sample"
    FORWARD = "forward"
    VERIFY = "verify"
    TRACE = "trace"
    UNMASK = "unmask"
    ASK = "ask"
    """Persons were decrypted so that a source could be asked about them."""
    REPORT = "report"
    CONSENT = "consent"
    DISPUTE = "dispute"
    SUBJECT_ACCESS = "subject_access"
    """A person was told what is held about them."""
    SPOT_CHECK = "spot_check"
    """Somebody's data were taken along in the clear, to be checked on the spot, or what was found was entered."""
    READ_CORRECTIONS = "read_corrections"
    ANSWER_CORRECTION = "answer_correction"
    READ_STATUS = "read_status"
    PUSH = "push"
    UPLOAD = "upload"
    CHECK_CONFIG = "check_config"
    SAVE_CONFIG = "save_config"
    PUBLISH_CONFIG = "publish_config"
    ROLL_BACK_CONFIG = "roll_back_config"
    REPLAY = "replay"
    COMPARE = "compare"
    RETIRE = "retire"
    REOPEN = "reopen"
    QUARANTINE_LIST = "quarantine_list"
    QUARANTINE_SHOW = "quarantine_show"
    QUARANTINE_EXPORT = "quarantine_export"
    QUARANTINE_REPAIR = "quarantine_repair"
    QUARANTINE_RETURN = "quarantine_return"
    QUARANTINE_REPLAY = "quarantine_replay"
    QUARANTINE_DISCARD = "quarantine_discard"
    WAIVE = "waive"
    REVOKE_WAIVER = "revoke_waiver"
    INVITE = "invite"
    TAKE_ALERT = "take_alert"
    TEST_ALERT = "test_alert"
    ALERT_WINDOW = "alert_window"
    ERASE = "erase"
    MEMBER_ISSUE = "member_issue"
    KEYS = "keys"
    KEYS_ROTATE = "keys_rotate"
    KEYS_REWRAP = "keys_rewrap"
    KEYS_PRUNE = "keys_prune"
    ADAPTER_NEW = "adapter_new"
    ADAPTER_RECORD = "adapter_record"
    ADAPTER_TEST = "adapter_test"
    ADVANCE_CLOCK = "advance_clock"
    UPGRADE_DB = "upgrade_db"
    DOCTOR = "doctor"
    CHAIN_CHECK = "chain_check"
    CHAIN_DEPLOY = "chain_deploy"
    CHAIN_RECONCILE = "chain_reconcile"
    CHAIN_EXPORT = "chain_export"
    DEMO = "demo"
    SERVE = "serve"
    WORKER = "worker"
    OPEN = "open"
    """What anybody may ask for: health, the log-in page, style sheets."""
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    OWN_ACCOUNT = "own_account"
    USER_LIST = "user_list"
    USER_ADD = "user_add"
    USER_LOCK = "user_lock"
    USER_UNLOCK = "user_unlock"
    USER_RESET = "user_reset"
    USER_ROLE = "user_role"
    USER_TOTP = "user_totp"
    KEY_LIST = "key_list"
    KEY_ADD = "key_add"
    KEY_REVOKE = "key_revoke"
    READ_AUDIT = "read_audit"


class ActorKind(StrEnum):
    PERSON = "person"
    """The log-in of the operating system that typed a verb."""
    USER = "user"
    """An account of ours, by log-in name."""
    API_KEY = "api_key"
    SCHEDULER = "scheduler"
    SYSTEM = "system"
    ANYBODY = "anybody"
    """Nobody has said who they are."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. A person is a member of staff: accountable by name, not a subject of the data."""

    kind: ActorKind
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or _PERSONAL.search(self.name):
            raise PersonalData("actor")

    @classmethod
    def person(cls, name: str) -> Actor:
        return cls(ActorKind.PERSON, name)

    @classmethod
    def user(cls, name: str) -> Actor:
        return cls(ActorKind.USER, name)

    @classmethod
    def anybody(cls) -> Actor:
        return cls(ActorKind.ANYBODY, "anybody")

    @classmethod
    def api(cls, name: str) -> Actor:
        return cls(ActorKind.API_KEY, name)

    @classmethod
    def scheduler(cls) -> Actor:
        return cls(ActorKind.SCHEDULER, "scheduler")

    @classmethod
    def system(cls) -> Actor:
        return cls(ActorKind.SYSTEM, "system")

    @classmethod
    def parse(cls, text: str) -> Actor:
        """The inverse of `str`. Raises ValueError."""
        kind, _, name = text.partition(":")
        return cls(ActorKind(kind), name)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log; `hash` covers all the rest and the hash before it."""

    seq: int
    at: str
    actor: Actor
    action: Action
    target: str
    detail: Detail
    previous: str
    hash: str = ""

    def digest(self) -> str:
        """64 hex digits. One JSON list, so that no two entries have the same bytes."""
        parts = [_DOMAIN, self.previous, self.seq, self.at, str(self.actor), self.action, self.target, self.detail]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def entry(  # the columns of the log, in their order
    previous_hash: str, seq: int, at: str, actor: Actor, action: Action, target: str, detail: Detail
) -> AuditEntry:
    """The next entry of a log whose last hash is `previous_hash` (GENESIS for the first, with seq 1).

    Raises:
        PersonalData: the target or a detail is anything else than a handle, a count or a code.
    """
    if len(target) > _MAX_TARGET or not _harmless(target):
        raise PersonalData("target")
    for key, value in detail.items():
        if not _KEY.fullmatch(key):
            raise PersonalData("detail")
        if isinstance(value, str):
            harmless = len(value) <= _MAX_TEXT and _harmless(value)
        else:
            harmless = isinstance(value, int) and abs(value) < _MAX_COUNT
        if not harmless:
            raise PersonalData(f"detail {key}")
    made = AuditEntry(seq, at, actor, action, target, dict(detail), previous_hash)
    return replace(made, hash=made.digest())


def verify_chain(entries: Iterable[AuditEntry]) -> int | None:
    """The seq of the first entry that is altered, out of order or missing its predecessor; None when all hold."""
    previous, expected = GENESIS, 1
    for found in entries:
        if found.seq != expected or found.previous != previous or not hmac.compare_digest(found.digest(), found.hash):
            return expected
        previous, expected = found.hash, expected + 1
    return None


class NotAllowed(Told):
    """The actor may not do this."""

    def __init__(self, actor: Actor, action: Action, target: str = "") -> None:
        super().__init__("{actor} 无权执行 {action}", actor=str(actor), action=str(action))
        self.target = target


class Authorizer(Protocol):
    """The one hook that every verb and route passes."""

    def authorize(self, actor: Actor, action: Action, target: str, place: Place | None = None) -> Scope:
        """What the actor may touch by this action; `place`, when known, lies within it. Raises NotAllowed."""

    def allows(self, actor: Actor, action: Action, place: Place | None = None) -> bool:
        """Whether the actor may do it there; without a place: anywhere."""


def _harmless(text: str) -> bool:
    return bool(_CODE.fullmatch(text)) and not _PERSONAL.search(text)
