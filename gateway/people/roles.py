"""Roles, what each may do, and how far. Pure: this table is the whole of it (docs/security.md shows it)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.audit import Action
from gateway.config import Config
from gateway.errors import Usage
from gateway.scope import EVERYTHING, NOTHING, Scope


class Role(StrEnum):
    SYSTEM = "system"
    SECURITY = "security"
    AUDIT = "audit"
    OPERATOR = "operator"
    OBSERVER = "observer"
    COUNTY = "county"
    AGENCY = "agency"
    SEAT = "seat"
    """Whoever holds a link to the agency's page: nothing is unmasked for it."""
    BANK = "bank"


class Reach(StrEnum):
    """How far a role reaches; all but ALL are granted with the place they reach to."""

    ALL = "all"
    COUNTY = "county"
    AGENCY = "agency"
    INSTITUTION = "institution"


@dataclass(frozen=True, slots=True)
class Rights:
    """One line of the table."""

    title: str
    reach: Reach
    actions: frozenset[Action]


A = Action
_HELD: Final = {A.QUARANTINE_LIST, A.QUARANTINE_SHOW, A.QUARANTINE_EXPORT, A.QUARANTINE_REPAIR}
_CLOSED: Final = {A.REPLAY, A.QUARANTINE_RETURN, A.QUARANTINE_REPLAY, A.QUARANTINE_DISCARD}
_ASKED_FOR: Final = {A.READ_CORRECTIONS, A.ANSWER_CORRECTION}
_STEERED: Final = {A.SYNC, A.PAUSE, A.RESUME, A.RESET_CURSOR}
_CUT_OVER: Final = {A.COMPARE, A.RETIRE, A.REOPEN}
_TRIED: Final = {A.CHECK, A.PREVIEW, A.DISCOVER, A.WSDL_SHOW, A.CHECK_CONFIG}

ROLES: Final[Mapping[Role, Rights]] = {
    Role.SYSTEM: Rights(
        "系统管理员",
        Reach.ALL,
        frozenset(
            {
                A.READ_STATUS,
                A.CHECK,
                A.WSDL_SHOW,
                A.CHECK_CONFIG,
                A.SAVE_CONFIG,
                A.PUBLISH_CONFIG,
                A.ROLL_BACK_CONFIG,
                A.DOCTOR,
                A.TEST_ALERT,
            }
            | {A.CHAIN_CHECK, A.CHAIN_DEPLOY, A.CHAIN_RECONCILE, A.CHAIN_EXPORT}
            | {A.USER_LIST, A.USER_ADD, A.USER_LOCK, A.USER_UNLOCK, A.USER_RESET}
        ),
    ),
    Role.SECURITY: Rights(
        "安全管理员",
        Reach.ALL,
        frozenset(
            {A.USER_LIST, A.USER_LOCK, A.USER_ROLE, A.USER_TOTP, A.KEY_LIST, A.KEY_ADD, A.KEY_REVOKE}
            | {A.MEMBER_ISSUE, A.ERASE, A.SUBJECT_ACCESS}
        ),
    ),
    Role.AUDIT: Rights(
        "审计管理员",
        Reach.ALL,
        frozenset({A.READ_AUDIT, A.VERIFY, A.USER_LIST, A.KEY_LIST}),
    ),
    Role.OPERATOR: Rights(
        "运维人员",
        Reach.ALL,
        frozenset(
            {
                A.READ_STATUS,
                A.UPLOAD,
                A.FORWARD,
                A.VERIFY,
                A.TRACE,
                A.SAMPLE,
                A.WAIVE,
                A.REVOKE_WAIVER,
                A.RESUME_ACCOUNT,
            }
            | _STEERED
            | _CUT_OVER
            | _TRIED
            | {A.WSDL_ACCEPT, A.ACCEPT_DRIFT, A.CHAIN_CHECK, A.CHAIN_RECONCILE, A.CHAIN_EXPORT}
            | {A.TAKE_ALERT, A.TEST_ALERT, A.ALERT_WINDOW, A.INVITE, A.READ_CORRECTIONS}
            | _HELD
            | _CLOSED
        ),
    ),
    Role.OBSERVER: Rights("只读用户", Reach.ALL, frozenset({A.READ_STATUS})),
    Role.COUNTY: Rights(
        "县数据局",
        Reach.COUNTY,
        frozenset(
            {
                A.READ_STATUS,
                A.UPLOAD,
                A.TRACE,
                A.SAVE_CONFIG,
                A.PUBLISH_CONFIG,
                A.ROLL_BACK_CONFIG,
                A.WSDL_ACCEPT,
                A.ACCEPT_DRIFT,
                A.UNMASK,
                A.TAKE_ALERT,
                A.INVITE,
                A.SPOT_CHECK,
            }
            | _STEERED
            | _CUT_OVER
            | _TRIED
            | _HELD
            | _CLOSED
            | _ASKED_FOR
        ),
    ),
    Role.AGENCY: Rights(
        "部门",
        Reach.AGENCY,
        frozenset({A.READ_STATUS, A.UPLOAD, A.UNMASK, A.TAKE_ALERT} | _HELD | _ASKED_FOR),
    ),
    Role.SEAT: Rights(
        "部门链接",
        Reach.AGENCY,
        frozenset({A.READ_STATUS, A.QUARANTINE_LIST, A.QUARANTINE_EXPORT, A.QUARANTINE_REPAIR} | _ASKED_FOR),
    ),
    Role.BANK: Rights("银行", Reach.INSTITUTION, frozenset({A.CONSENT, A.REPORT, A.DISPUTE, A.READ_CORRECTIONS})),
}

ADMINISTRATORS: Final = frozenset({Role.SYSTEM, Role.SECURITY, Role.AUDIT})
"""三员: nobody holds two of them, each logs in with a one-time code, and no program holds one (china-facts §4, 等保 2.0)."""
ANYBODY: Final = frozenset({A.OPEN, A.PUSH, A.LOG_IN})
"""Without having said who one is; a push carries its sender's own signature."""
SIGNED_IN: Final = frozenset({A.OPEN, A.LOG_IN, A.LOG_OUT, A.OWN_ACCOUNT})
"""Every user, whatever the roles, and before a first password is chosen."""
FILTERED: Final = frozenset(
    {
        A.READ_STATUS,
        A.QUARANTINE_LIST,
        A.QUARANTINE_EXPORT,
        A.QUARANTINE_REPAIR,
        A.CONSENT,
        A.REPORT,
        A.READ_CORRECTIONS,
    }
)
"""What shows, or takes in, what lies within the scope: it need not name a place. Everything else does, or touches the whole."""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role, and where: a county's code; an agency's name in the catalogue, in one county (`360981/丰城市民政局`) or wherever it
    owes something; an institution of gateway.yaml.
    """

    role: Role
    place: str = ""

    @classmethod
    def parse(cls, text: str) -> Grant:
        """The inverse of `str`: `operator`, `county:360981`. Raises Usage."""
        name, _, place = text.strip().partition(":")
        if name not in list(Role):
            raise Usage("没有角色 {name}。可用的有：{known}", name=name, known="、".join(Role))
        grant = cls(Role(name), place.strip())
        if bool(grant.place) != (ROLES[grant.role].reach is not Reach.ALL):
            raise Usage("角色写成这样：operator、county:360981、agency:360981/丰城市民政局、bank:demo-bank")
        return grant

    def __str__(self) -> str:
        return f"{self.role}:{self.place}" if self.place else str(self.role)


def compatible(grants: Iterable[Grant], config: Config, *, program: bool = False) -> list[Grant]:
    """The grants in order, once each. Raises Usage: two of the three administrators, one for a program, a place there is not."""
    found = sorted(set(grants))
    held = [grant.role for grant in found if grant.role in ADMINISTRATORS]
    if program and held:
        raise Usage("接口密钥不能有管理员角色：管理员登录要动态口令")
    if len(held) > 1:
        raise Usage("三员分立：系统、安全、审计管理员，一人只能任一个")
    for grant in found:
        known = _places(ROLES[grant.role].reach, config)
        if grant.place and grant.place not in known:
            raise Usage(
                "角色 {role} 的范围里没有 {place}。可用的有：{known}",
                role=str(grant.role),
                place=grant.place,
                known="、".join(known),
            )
    return found


def _places(reach: Reach, config: Config) -> list[str]:
    """What a role of this reach may be granted for."""
    if reach is Reach.COUNTY:
        return list(config.counties)
    if reach is Reach.AGENCY:
        owing = _agencies(config)
        return sorted({*owing.values(), *(f"{county}/{agency}" for (county, _), agency in owing.items())})
    return list(config.gateway.members) if config.gateway else []


def grantable(config: Config, *, program: bool = False) -> list[tuple[Role, str, list[Grant]]]:
    """For forms: each role, its title, and every grant of it there is; a program is no administrator."""
    return [
        (
            role,
            rights.title,
            [Grant(role)] if rights.reach is Reach.ALL else [Grant(role, p) for p in _places(rights.reach, config)],
        )
        for role, rights in ROLES.items()
        if not (program and role in ADMINISTRATORS)
    ]


def _agencies(config: Config) -> dict[tuple[str, str], str]:
    """Who owes which dataset in which county."""
    return {
        (county, dataset): entry.promise(dataset, county).agency
        for county in config.counties
        for dataset, entry in config.catalogue.items()
    }


def scope_of(grants: Iterable[Grant], action: Action, config: Config) -> Scope:
    """What these grants together let touch by this action; NOTHING where none lets do it."""
    scope = NOTHING
    for grant in grants:
        rights = ROLES[grant.role]
        if action not in rights.actions:
            continue
        if rights.reach is Reach.ALL:
            return EVERYTHING
        if rights.reach is Reach.COUNTY:
            scope |= Scope(counties=frozenset({grant.place}))
        elif rights.reach is Reach.AGENCY:
            owing = _agencies(config).items()
            scope |= Scope(duties=frozenset(key for key, who in owing if grant.place in (who, f"{key[0]}/{who}")))
        else:
            scope |= Scope(institutions=frozenset({grant.place}))
    return scope


NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")
"""How people and programs are named: it goes into the audit log."""


def named(name: str) -> str:
    """A name as it is kept. Raises Usage."""
    name = name.strip().lower()
    if not NAME.fullmatch(name):
        raise Usage("名称用小写字母开头，由小写字母、数字和 . _ - 组成，2 到 32 个字符；不要用手机号或证件号")
    return name
