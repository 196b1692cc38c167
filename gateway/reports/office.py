"""The desk at which a bank asks: quota, consent, report, receipt (china-facts §4: query preconditions).

Every query leaves a statement that is anchored, answered or refused; whoever was asked about can later see who read what.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from gateway import desk
from gateway.clock import Clock
from gateway.config import MemberModel
from gateway.errors import Usage
from gateway.names import SUBJECT
from gateway.proof import Signer, Suite, reports
from gateway.reports.asked import Asked
from gateway.reports.consents import CLASSES, PURPOSES, Consent, Consents, Refused
from gateway.reports.report import ReportMaker
from gateway.scope import Scope
from gateway.store import Store
from gateway.vault import Vault
from schemas.cleaning import CLEANERS, Options

REPORT: Final = "report"
OK: Final = "OK"
_NUMBER = re.compile(r"SQ\d{8}-\d{6}")
_encode: Final = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it is given out: canonical JSON, what names it, and our signature over it."""

    number: str
    text: bytes
    digest: str
    """The suite's hash of `text`, 64 hex digits; anchored with the query's statement."""
    signature: str

    @property
    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = msgspec.json.decode(self.text)
        return made


class Office:
    """Answers queries over one store. Safe to share between threads."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        *,
        signer: Signer,
        maker: ReportMaker,
        consents: Consents,
        members: Mapping[str, MemberModel],
        submitter: str,
        suite: Suite,
    ) -> None:
        self._store, self._vault, self._clock, self._signer = store, vault, clock, signer
        self._maker, self._consents, self._members, self._submitter = maker, consents, members, submitter
        self._suite = suite

    def query(
        self, *, id_no: str, name: str, institution: str, purpose: str, classes: Collection[str], user: str
    ) -> Report:
        """One report about one person.

        Raises:
            Refused: QUOTA, or why no consent covers the query; the refusal is recorded.
            Usage: an unknown institution, purpose or class; an ID number that is none.
        """
        id_no = canonical_id(id_no, self._clock.today())
        self.check(institution, purpose, classes)
        try:
            self._within_quota(institution)
            consent = self._consents.covering(id_no=id_no, institution=institution, purpose=purpose, classes=classes)
        except Refused as refused:
            self._note(id_no, institution, purpose, classes, user, result=refused.code)
            raise
        return self._answer(consent, id_no, name.strip(), frozenset(classes), user)

    def check(self, institution: str, purpose: str, classes: Collection[str]) -> None:
        """Raises Usage: there is no such institution, purpose or class."""
        if institution not in self._members:
            raise Usage("没有成员单位 {name}。可用的有：{known}", name=institution, known="、".join(self._members))
        if purpose not in PURPOSES:
            raise Usage("没有查询目的 {name}。可用的有：{known}", name=purpose, known="、".join(PURPOSES))
        unknown = sorted(set(classes) - CLASSES.keys())
        if unknown or not classes:
            raise Usage("没有数据类别 {name}。可用的有：{known}", name="、".join(unknown), known="、".join(CLASSES))

    def _within_quota(self, institution: str) -> None:
        quota = self._members[institution].queries_per_day
        with self._store.read() as tx:
            used = int(tx.value("queries_answered", institution=institution, day=self._clock.today().isoformat()))
        if quota is not None and used >= quota:
            raise Refused("QUOTA", "本机构今日的查询次数 {quota} 次已用完", quota=quota)

    def usage(self, institution: str) -> dict[str, int | None]:
        """Reports given out today, refused queries aside, and how many there may be; None: any number. Raises Usage."""
        if institution not in self._members:
            raise Usage("没有成员单位 {name}。可用的有：{known}", name=institution, known="、".join(self._members))
        with self._store.read() as tx:
            used = int(tx.value("queries_answered", institution=institution, day=self._clock.today().isoformat()))
        return {"used": used, "quota": self._members[institution].queries_per_day}

    def _answer(self, consent: Consent, id_no: str, name: str, classes: frozenset[str], user: str) -> Report:
        asked = Asked(
            number=self._number(),
            id_no=id_no,
            name=name,
            institution=consent.institution,
            institution_title=self._members[consent.institution].title,
            user=user,
            purpose=consent.purpose,
            consent=consent.handle,
            classes=classes,
            at=self._clock.stamp(),
            submitter=self._submitter,
            suite=self._suite.name,
        )
        text = _encode(self._maker.make(asked))
        report = Report(
            asked.number, text, self._suite.hash(text).hex(), self._signer.sign(reports.PURPOSE, text).hex()
        )
        self._note(
            id_no, consent.institution, consent.purpose, classes, user, result=OK, report=report, consent=consent
        )
        return report

    def _number(self) -> str:
        with self._store.write() as tx:
            return f"SQ{self._clock.today():%Y%m%d}-{int(tx.value('counter_take', name='report', count=1)):06d}"

    def _note(
        self,
        id_no: str,
        institution: str,
        purpose: str,
        classes: Collection[str],
        user: str,
        *,
        result: str,
        report: Report | None = None,
        consent: Consent | None = None,
    ) -> None:
        """The query's row and its statement, in one transaction."""
        at, listed = self._clock.stamp(), ",".join(sorted(classes))
        number = report.number if report else self._number()
        handle = query_handle(self._vault, number)
        groups: dict[str, dict[str, str | None]] = {
            "subject": {"id_no": id_no},
            "query": {
                "number": number,
                "institution": institution,
                "user": user,
                "purpose": purpose,
                "classes": listed,
                "consent": consent.handle if consent else None,
                "result": result,
                "report_hash": report.digest if report else None,
            },
        }
        with self._store.write() as tx:
            tx.run(
                "query_add",
                number=number,
                consent_id=consent.id if consent else None,
                subject=self._vault.name(SUBJECT, id_no),
                institution=institution,
                actor=user,
                purpose=purpose,
                classes=listed,
                at=at,
                day=self._clock.today().isoformat(),
                result=result,
                report_hash=report.digest if report else None,
                report=self._vault.seal(REPORT, report.text) if report else None,
            )
            desk.state(tx, self._vault, desk.QUERIES, handle, 1, groups, at)

    def again(self, number: str, institution: str = "") -> Report:
        """A report given out before, to this institution where one is named: the same text, signed anew. Raises Usage."""
        if not _NUMBER.fullmatch(number):
            raise Usage("{number} 不是报告编号；报告编号形如 SQ20260301-000001", number=number)
        with self._store.read() as tx:
            row = tx.one("query_get", number=number)
        if row is None or row.report is None or institution not in ("", row.institution):
            raise Usage("没有报告 {number}", number=number)
        text = self._vault.open(REPORT, row.report)
        return Report(number, text, row.report_hash, self._signer.sign(reports.PURPOSE, text).hex())

    def recent(self, within: Scope, institution: str = "", count: int = 100) -> list[Any]:
        """The latest queries, refused ones included, without whom they were about."""
        with self._store.read() as tx:
            return [
                row
                for name in within.asked(institution)
                for row in tx.all("queries_recent", institution=name, count=count)
            ]


def query_handle(vault: Vault, number: str) -> bytes:
    """The handle of a query's statement."""
    return vault.name("query", number)


def canonical_id(text: str, today: date) -> str:
    """An ID number as the vault names it. Raises Usage, never quoting it."""
    cleaned = CLEANERS["id_no"](Options(today=today))(text)
    if not isinstance(cleaned.value, str):
        raise Usage("不是有效的公民身份号码，请核对后重输")
    return cleaned.value
