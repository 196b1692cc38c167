"""Consent first: nobody reads about a person without that person's say (征信业管理条例 art. 14, 18; china-facts §4).

A consent names who may ask, what for, about which classes of data, on which signed paper, from when until when. Real estate
and income are classes that must be named expressly. Consents and their revocations are anchored like everything else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from gateway import desk
from gateway.clock import Clock
from gateway.errors import Usage
from gateway.names import SUBJECT
from gateway.scope import Scope
from gateway.store import Store
from gateway.vault import NAME_BYTES, Vault, handle_bytes, handle_text

PURPOSES: Final = {
    "loan_application": "贷款申请审查",
    "credit_line": "授信额度评定",
    "post_loan": "贷后管理",
    "acceptance_test": "产品验收测试",
}
CLASSES: Final = {
    "household": "户籍与家庭成员",
    "marriage": "婚姻登记",
    "real_estate": "不动产（宅基地）",
    "contracted_land": "承包地",
    "income": "收入（农业补贴、一卡通发放）",
    "entity": "新型农业经营主体",
    "assistance": "社会救助",
}
EXPRESS: Final = frozenset({"real_estate", "income"})
"""Art. 14: only where the consent names them expressly, after telling the consequences."""
CONSENT: Final = "consent"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent as the desk keeps it; whom it is about stays in the vault."""

    id: int
    handle: str
    institution: str
    purpose: str
    classes: frozenset[str]
    valid_from: date
    valid_to: date
    revoked_at: str | None
    file_hash: str

    def as_dict(self) -> dict[str, Any]:
        """As CLI and API show it."""
        return {
            "handle": self.handle,
            "institution": self.institution,
            "purpose": self.purpose,
            "classes": sorted(self.classes),
            "valid_from": self.valid_from.isoformat(),
            "valid_to": self.valid_to.isoformat(),
            "revoked_at": self.revoked_at,
            "file_hash": self.file_hash,
        }


class Refused(Usage):
    """A query that no consent covers. `code` says which condition failed."""

    exit_code = 1

    def __init__(self, code: str, sentence: str, **facts: object) -> None:
        super().__init__(sentence, **facts)
        self.code = code


class Consents:
    """The consents of one store."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, institutions: Collection[str]) -> None:
        self._store, self._vault, self._clock, self._institutions = store, vault, clock, institutions

    def grant(
        self,
        *,
        id_no: str,
        name: str,
        institution: str,
        purpose: str,
        classes: Collection[str],
        file_hash: str,
        valid_from: date,
        valid_to: date,
        express: bool,
        actor: str,
    ) -> Consent:
        """Records a signed consent: `id_no` and `name` canonical, `file_hash` the signed file's SHA-256 in 64 hex digits,
        `express` that the paper names real estate and income apart and the consequences were told.

        Raises:
            Usage: something is missing, unknown or contradictory; says what is allowed.
        """
        self._check(institution, purpose, classes, file_hash, valid_from, valid_to, express=express)
        handle, at = os.urandom(NAME_BYTES), self._clock.stamp()
        listed = ",".join(sorted(classes))
        groups: dict[str, dict[str, str | None]] = {
            "subject": {"id_no": id_no, "name": name},
            "grant": {
                "institution": institution,
                "purpose": purpose,
                "classes": listed,
                "express": "1" if express else "0",
                "valid_from": valid_from.isoformat(),
                "valid_to": valid_to.isoformat(),
                "revoked_at": None,
            },
            "file": {"sha256": file_hash},
        }
        with self._store.write() as tx:
            tx.run(
                "consent_add",
                handle=handle,
                subject=self._vault.name(SUBJECT, id_no),
                institution=institution,
                purpose=purpose,
                classes=listed,
                valid_from=valid_from.isoformat(),
                valid_to=valid_to.isoformat(),
                file_hash=file_hash,
                at=at,
                actor=actor,
                sealed=self._vault.seal(CONSENT, msgspec.json.encode(groups)),
            )
            desk.state(tx, self._vault, desk.CONSENTS, handle, 1, groups, at)
            return _consent(tx.one("consent_get", handle=handle))

    def _check(
        self,
        institution: str,
        purpose: str,
        classes: Collection[str],
        file_hash: str,
        valid_from: date,
        valid_to: date,
        *,
        express: bool,
    ) -> None:
        if institution not in self._institutions:
            raise Usage("没有成员单位 {name}。可用的有：{known}", name=institution, known="、".join(self._institutions))
        if purpose not in PURPOSES:
            raise Usage("没有查询目的 {name}。可用的有：{known}", name=purpose, known="、".join(PURPOSES))
        unknown = sorted(set(classes) - CLASSES.keys())
        if unknown or not classes:
            raise Usage("没有数据类别 {name}。可用的有：{known}", name="、".join(unknown), known="、".join(CLASSES))
        if EXPRESS & set(classes) and not express:
            raise Usage("不动产和收入须在授权书中单列，并告知不利后果后由本人签字；确已如此请加 --express")
        if not _SHA256.fullmatch(file_hash):
            raise Usage("授权书文件的 SHA-256 应是 64 位小写十六进制")
        if valid_to < valid_from:
            raise Usage("授权止期 {to} 早于起期 {start}", to=valid_to, start=valid_from)

    def revoke(self, handle: str) -> Consent:
        """Ends a consent today. Raises Usage: there is none, or it was revoked before."""
        name, at = self._name(handle), self._clock.stamp()
        with self._store.write() as tx:
            row = tx.one("consent_get", handle=name)
            if row is None or not tx.run("consent_revoke", handle=name, at=at):
                raise Usage("没有可撤销的授权 {handle}", handle=handle)
            if row.sealed is not None:
                groups = msgspec.json.decode(self._vault.open(CONSENT, row.sealed))
                groups["grant"]["revoked_at"] = at
                desk.state(tx, self._vault, desk.CONSENTS, name, 2, groups, at)
            return _consent(tx.one("consent_get", handle=name))

    def get(self, handle: str) -> Consent:
        """Raises Usage."""
        with self._store.read() as tx:
            row = tx.one("consent_get", handle=self._name(handle))
        if row is None:
            raise Usage("没有授权 {handle}", handle=handle)
        return _consent(row)

    def in_force(self, handle: str) -> Consent:
        """A consent that holds today. Raises Refused: CONSENT_REVOKED, CONSENT_EXPIRED or CONSENT_NOT_YET; Usage: there is none."""
        given = self.get(handle)
        code = _shortcoming(given, self._clock.today(), given.purpose, given.classes)
        if code is not None:
            raise Refused(code, _REFUSALS[code])
        return given

    def recent(self, within: Scope, institution: str = "", count: int = 100) -> list[Consent]:
        """The latest, of one institution or of all in reach."""
        with self._store.read() as tx:
            return [
                _consent(row)
                for name in within.asked(institution)
                for row in tx.all("consents_recent", institution=name, count=count)
            ]

    def covering(self, *, id_no: str, institution: str, purpose: str, classes: Collection[str]) -> Consent:
        """The consent under which this institution may read these classes about this person now.

        Raises:
            Refused: CONSENT_NONE, CONSENT_REVOKED, CONSENT_EXPIRED, CONSENT_NOT_YET, CONSENT_PURPOSE or CONSENT_SCOPE: how far
                the nearest consent came.
        """
        today = self._clock.today()
        with self._store.read() as tx:
            rows = tx.all("consents_of", subject=self._vault.name(SUBJECT, id_no), institution=institution)
        failed = [(_shortcoming(c, today, purpose, classes), c) for c in map(_consent, rows)]
        found = next((c for code, c in failed if code is None), None)
        if found is not None:
            return found
        code = max((c for c, _ in failed if c), key=list(_REFUSALS).index, default="CONSENT_NONE")
        raise Refused(code, _REFUSALS[code])

    @staticmethod
    def _name(handle: str) -> bytes:
        try:
            return handle_bytes(handle)
        except ValueError:
            raise Usage("{handle} 不是编号；编号是 32 个字母和数字", handle=handle) from None


_REFUSALS: Final[Mapping[str, str]] = {
    "CONSENT_NONE": "没有本人对本机构的授权",
    "CONSENT_REVOKED": "本人已撤销授权",
    "CONSENT_EXPIRED": "授权已过期",
    "CONSENT_NOT_YET": "授权尚未生效",
    "CONSENT_PURPOSE": "查询目的不在授权范围内",
    "CONSENT_SCOPE": "所查的数据类别超出授权范围",
}
"""Code -> sentence, from the farthest to the nearest miss."""


def _shortcoming(consent: Consent, today: date, purpose: str, classes: Collection[str]) -> str | None:
    if consent.revoked_at is not None:
        return "CONSENT_REVOKED"
    if today > consent.valid_to:
        return "CONSENT_EXPIRED"
    if today < consent.valid_from:
        return "CONSENT_NOT_YET"
    if purpose != consent.purpose:
        return "CONSENT_PURPOSE"
    return None if consent.classes.issuperset(classes) else "CONSENT_SCOPE"


def _consent(row: Any) -> Consent:
    return Consent(
        row.id,
        handle_text(row.handle),
        row.institution,
        row.purpose,
        frozenset(row.classes.split(",")),
        date.fromisoformat(row.valid_from),
        date.fromisoformat(row.valid_to),
        row.revoked_at,
        row.file_hash,
    )
