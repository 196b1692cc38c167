"""不动产登记: homestead rights over SOAP, as a list of elements or as XML inside XML (china-facts §1.3, §3.4)."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal

from adapters.kit import (
    Auth,
    Bearer,
    FieldRule,
    IgnoreRule,
    InnerXml,
    PageNumber,
    Since,
    SoapAdapter,
    SoapSettings,
    SoapStream,
    SourceSettings,
)

HOMESTEAD_RIGHTS = {"5": "5", "6": "6", "8001606": "5", "8001607": "6"}
"""宅基地使用权, with and without a house: the national codes and a local variant (§2.5)."""


class RealEstateSettings(SoapSettings):
    form: Literal["list", "xml"] = "list"
    """Which of the two operations to call; they give the same rows."""


LIST = SoapStream(
    operation="QueryHomesteads",
    row="record",
    params={"qxdm": "{county}"},
    paging=PageNumber("pageNo", "pageSize", limit=500),
    since=Since("updatedSince"),
    errors="errItems",
    source_time="GXSJ",
    mapping={
        "unit_no": "BDCDYH",
        "parcel_code": "ZDDM",
        "cert_no": "BDCQZH",
        "right_type": FieldRule(from_="QLLX", codes=HOMESTEAD_RIGHTS),
        "right_status": "QSZT",
        "reg_type": "DJLX",
        "reg_date": "DJSJ",
        "reg_office": "DJJG",
        "land_area_m2": FieldRule(from_="SYQMJ", unit="m²", part="宗地面积"),
        "building_area_m2": FieldRule(from_="JZMJ", unit="m²", part="房屋建筑面积"),
        "use": "YT",
        "use_from": "SYQQSSJ",
        "use_to": "SYQJSSJ",
        "co_ownership": "GYFS",
        "seized": "CFZT",
        "location": "ZL",
        "business_no": "YWH",
        "holders.name": FieldRule(from_="QLRMC", split=","),
        "holders.id_no": FieldRule(from_="ZJH", split=","),
        "holders.share": FieldRule(from_="QLBL", split=","),
    },
    ignore={"NOT_HOMESTEAD": IgnoreRule(from_="QLLX", unless=tuple(HOMESTEAD_RIGHTS))},
)
XML = replace(
    LIST,
    operation="QueryHomesteadsXml",
    row="RECORD",
    params={"QXDM": "{county}"},
    total="TOTAL",
    code="CODE",
    message="MSG",
    paging=PageNumber("PAGENUM", "PAGESIZE", limit=500),
    since=Since("GXSJ"),
    xml_in_xml=InnerXml(result="return", request="request", root="REQUEST"),
)


class RealEstate(SoapAdapter):
    name = "real_estate"
    title = "不动产登记系统"
    Settings: ClassVar[type[SourceSettings]] = RealEstateSettings
    settings: RealEstateSettings
    streams: ClassVar[Mapping[str, SoapStream]] = {"homestead": LIST}

    @cached_property
    def auth(self) -> Auth:
        return Bearer(self.ports)

    def stream(self, dataset: str) -> SoapStream:
        return XML if self.settings.form == "xml" else super().stream(dataset)
