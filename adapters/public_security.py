"""公安人口查询服务: the register of households, about named persons only, by PACKAGE inside SOAP (china-facts §1.3, §3.2).

Every request names the officer who asks, by number, name and unit; these are a person's data and come from the account's
secrets alone. Whom to ask about comes from the worklist.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final
from xml.sax.saxutils import escape

from pydantic import Field

from adapters.kit import (
    Answer,
    Cursor,
    IgnoreRule,
    InnerXml,
    Page,
    Person,
    Probe,
    SoapAdapter,
    SoapSettings,
    SoapStream,
    SourceError,
    SourceSettings,
    about,
    exchange,
    nobody_due,
    reached,
)

OFFICER: Final = {
    "QQRGMSFHM": "officer_id_no",
    "QQRXM": "officer_name",
    "QQRDWDM": "officer_unit_code",
    "QQRDWMC": "officer_unit_name",
}
"""Element of the head -> the account's secret."""
RECORDS: Final = 20
"""Persons a request; more are answered in part."""


class PublicSecuritySettings(SoapSettings):
    """What the onboarding letter says of us."""

    page_size: int | None = Field(default=RECORDS, ge=1, le=100)
    system_code: str = Field(min_length=1)
    system_name: str = ""
    business_code: str = "01"
    business_name: str = "农户信用信息核查"


class PublicSecurity(SoapAdapter):
    name = "public_security"
    title = "公安人口查询服务"
    asks = True
    Settings: ClassVar[type[SourceSettings]] = PublicSecuritySettings
    settings: PublicSecuritySettings
    streams: ClassVar[Mapping[str, SoapStream]] = {
        "household_member": SoapStream(
            operation="QueryPopulation",
            row="RECORD",
            total="JLS",
            code="FHDM",
            success=("0000",),
            message="FHXX",
            xml_in_xml=InnerXml(request="request", root="PACKAGE", result="return"),
            source_time="GXSJ",
            ignore={
                "NOT_FOUND": IgnoreRule(from_="CXJG", equals=("0",)),
                "NAME_DIFFERS": IgnoreRule(from_="CXJG", equals=("2",)),
            },
            mapping={
                "id_no": "GMSFHM",
                "name": "XM",
                "former_name": "CYM",
                "sex": "XB",
                "birth_date": "CSRQ",
                "household_no": "HH",
                "station_code": "PCSDM",
                "relation_to_head": "YHZGX",
                "register_address": "HJDXZ",
                "register_division": "HJDSSXQDM",
                "register_kind": "HKXZ",
                "head_id_no": "HZSFZH",
                "head_name": "HZXM",
                "marital_self_reported": "HYZK",
                "moved_in_on": "QRRQ",
                "moved_out_on": "QCRQ",
                "died_on": "SWRQ",
                "cancelled_on": "ZXSJ",
            },
        ),
    }

    def fetch(self, dataset: str, cursor: Cursor | None) -> Page:
        """One request about the persons who are due next; a page without rows or contact if nobody is."""
        stream, ports = self.stream(dataset), self.ports
        due = ports.worklist.due(reached(cursor), self.settings.page_size or RECORDS)
        if not due.persons:
            return nobody_due(Answer("", 0, "", b"", ports.now()))
        call = self.service.call(stream.operation, {"request": self.package(due.persons)})
        opened, answer = exchange(ports, self.auth, stream.operation, lambda signed: self._send(stream, call, signed))
        return about(
            due, opened, answer, number="GMSFHM", found=lambda item: item.get("CXJG") == "1", today=ports.today()
        )

    def restart(self, cursor: Cursor | None) -> Cursor | None:
        """From the first person again. Whom we asked about lately is not asked about before it is time."""
        return None

    def package(self, persons: Sequence[Person]) -> str:
        """The request. Raises SourceDenied: the account does not say who asks."""
        now, settings, secrets = self.ports.now(), self.settings, self.ports.secrets
        head = {
            "FWQQBH": f"{settings.system_code}{now:%Y%m%d%H%M%S%f}",
            "QQBWDM": "RKXXCX",
            "QQBWMC": "人口信息查询",
            "SJLYXTDM": settings.system_code,
            "SJLYXTMC": settings.system_name,
            "JLS": str(len(persons)),
            "FSSJ": f"{now:%Y%m%d%H%M%S}",
            **{element: secrets.get(secret) for element, secret in OFFICER.items()},
            "QQYWLXDM": settings.business_code,
            "QQYWLXMC": settings.business_name,
            "QQYWXTDM": settings.system_code,
            "QQYWXTMC": settings.system_name,
        }
        records = "".join(
            f"<RECORD no='{no}'>{_elements({'GMSFHM': person.id_no, 'XM': person.name})}</RECORD>"
            for no, person in enumerate(persons, 1)
        )
        return f"<PACKAGE><PACKAGEHEAD>{_elements(head)}</PACKAGEHEAD><DATA>{records}</DATA></PACKAGE>"

    def probe(self) -> list[Probe]:
        try:
            self.package(())
        except SourceError as error:
            return [Probe("officer", ok=False, sentence=str(error))]
        return [Probe("officer", ok=True, sentence="已配置请求人"), *super().probe()]


def _elements(values: Mapping[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
