"""公安人口查询服务: the register of households, about named persons only, by PACKAGE inside SOAP (china-facts §1.3, §3.2).

Every request names the officer who asks, by number, name and unit; these are a person's data and come from the account's
secrets alone. Whom to ask about comes from the worklist.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

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
HEAD: Final = {
    "QQBWDM": "RKXXCX",
    "QQBWMC": "人口信息查询",
    **{element: f"{{secret.{name}}}" for element, name in OFFICER.items()},
}
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
            params={"PACKAGEHEAD": HEAD},
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
        service, asked = self.service, self.package(due.persons)
        opened, answer = exchange(
            ports, self.caller, stream.operation, lambda signed: self._ask(service, stream, asked, signed)
        )
        return about(
            due, opened, answer, number="GMSFHM", found=lambda item: item.get("CXJG") == "1", today=ports.today()
        )

    def restart(self, cursor: Cursor | None) -> Cursor | None:
        """From the first person again. Whom we asked about lately is not asked about before it is time."""
        return None

    def package(self, persons: Sequence[Person]) -> dict[str, Any]:
        """What a request says besides its fixed head."""
        now, settings = self.ports.now(), self.settings
        head = {
            "FWQQBH": f"{settings.system_code}{now:%Y%m%d%H%M%S%f}",
            "SJLYXTDM": settings.system_code,
            "SJLYXTMC": settings.system_name,
            "JLS": str(len(persons)),
            "FSSJ": f"{now:%Y%m%d%H%M%S}",
            "QQYWLXDM": settings.business_code,
            "QQYWLXMC": settings.business_name,
            "QQYWXTDM": settings.system_code,
            "QQYWXTMC": settings.system_name,
        }
        records = [
            {"@no": str(no), "GMSFHM": person.id_no, "XM": _plain(person.name)} for no, person in enumerate(persons, 1)
        ]
        return {f"PACKAGEHEAD.{name}": _plain(text) for name, text in head.items()} | {"DATA.RECORD": records}

    def probe(self) -> list[Probe]:
        try:
            for name in OFFICER.values():
                self.ports.secrets.get(name)
        except SourceError as error:
            return [Probe("officer", ok=False, sentence=str(error))]
        return [Probe("officer", ok=True, sentence="已配置请求人"), *super().probe()]


def _plain(text: str) -> str:
    """A text in which braces are braces."""
    return text.replace("{", "{{").replace("}", "}}")
