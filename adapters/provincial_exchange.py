"""省政务数据共享交换平台: household members (公安) and card payments (财政) by the GJ profile (china-facts §1.1 P3)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from adapters.kit import (
    GJ,
    Auth,
    DaySlice,
    Envelope,
    PageNumber,
    Probe,
    RestAdapter,
    RestSettings,
    RestStream,
    Signed,
    Since,
    SourceError,
    SourceSettings,
    exchange,
)

CATALOGUE = Envelope(rows="data", total=None, message="message")


class ExchangeSettings(RestSettings):
    """What the onboarding letter says."""

    rid: str = Field(min_length=1)
    """Our requester id."""
    catalogue_sid: str = "s_3600000000000_0000"
    """Service that secret renewals and the catalogue are signed for."""
    services: Mapping[str, str] = Field(default_factory=dict)
    """dataset -> service id, where it is not the county's usual one."""
    payments_from: date | None = None
    """First submission day to read; a year back if absent."""


class ProvincialExchange(RestAdapter):
    name = "provincial_exchange"
    title = "省政务数据共享交换平台"
    Settings: ClassVar[type[SourceSettings]] = ExchangeSettings
    settings: ExchangeSettings
    streams: ClassVar[Mapping[str, RestStream]] = {
        "household_member": RestStream(
            path="/httpproxy",
            method="POST",
            service="s_{county}0000000_0001",
            envelope=Envelope(rows="data.rows", total="data.total", message="message", errors="errItems"),
            paging=PageNumber(limit=500),
            since=Since("gxsj_start"),
            source_time="GXSJ",
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
                "register_division": "HJDQH",
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
        "payment": RestStream(
            path="/httpproxy",
            method="POST",
            service="s_{county}0000000_0002",
            body_params={"table_id": "yktffmx", "cd_source": "{county}"},
            envelope=Envelope(rows="", total=None, message="message"),
            paging=DaySlice("submitted_date", start=366),
            source_time="GXSJ",
            mapping={
                "detail_id": "MXID",
                "batch_no": "PCH",
                "year": "ND",
                "item_code": "BTXMBM",
                "item_name": "BTXMMC",
                "authority": "ZGBM",
                "document_no": "ZJWH",
                "division": "QHDM",
                "status": "FFZT",
                "paid_on": "FFRQ",
                "failure": "SBYY",
                "payee_name": "XM",
                "payee_id_no": "SFZH",
                "amount_due": "YFJE",
                "amount_paid": "SFJE",
                "account_tail": "YHZH",
            },
        ),
    }

    @cached_property
    def auth(self) -> Auth:
        settings = self.settings
        return GJ(self.ports, settings.base_url, settings.rid, settings.catalogue_sid)

    def stream(self, dataset: str) -> RestStream:
        stream, settings = super().stream(dataset), self.settings
        stream = replace(stream, service=settings.services.get(dataset, stream.service))
        if dataset == "payment" and settings.payments_from:
            return replace(stream, paging=DaySlice("submitted_date", start=settings.payments_from))
        return stream

    def catalogue(self) -> list[dict[str, Any]]:
        """The services we may call: `sid`, `name`, `provider`, `updateCycle`, `items`. Raises as `fetch`."""
        label, url = "POST getlist", f"{self.settings.base_url}/sysapi/service/getlist"

        def send(signed: Signed) -> list[dict[str, Any]]:
            answer = self.ports.http.request("POST", url, json={}, signed=signed, label=label)
            return CATALOGUE.unwrap(answer.body, label).rows.decode()

        return exchange(self.ports, self.auth, self.settings.catalogue_sid, send)

    def probe(self) -> list[Probe]:
        layers = super().probe()
        try:
            listed = "、".join(str(entry.get("name", "?")) for entry in self.catalogue())
        except SourceError as error:
            return [*layers, Probe("catalogue", ok=False, sentence=str(error))]
        return [*layers, Probe("catalogue", ok=True, sentence=f"目录中可调用的服务：{listed}")]
