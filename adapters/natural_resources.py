"""自然资源: approvals of homesteads (changes since the last read) behind a TIF gateway (china-facts §1.1 P1, §3.4)."""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from adapters.kit import TIF, Auth, Envelope, PageNumber, RestAdapter, RestStream, Since


class NaturalResources(RestAdapter):
    name = "natural_resources"
    title = "自然资源宅基地审批系统"
    streams: ClassVar[Mapping[str, RestStream]] = {
        "homestead_approval": RestStream(
            path="/ebus/zrzy/homestead-approval",
            envelope=Envelope(rows="data.records", total="data.total", errors="errItems"),
            paging=PageNumber("current", "size", limit=100),
            since=Since("gxsj"),
            source_time="GXSJ",
            mapping={
                "approval_no": "PZSBH",
                "parcel_code": "ZDDM",
                "document_no": "PZWH",
                "kind": "SQLX",
                "status": "SPZT",
                "approved_on": "PZRQ",
                "valid_to": "YXQZ",
                "accepted_on": "YSRQ",
                "approver": "PZJG",
                "division": "QHDM",
                "approved_area_m2": "PZMJ",
                "over_area_m2": "CZMJ",
                "building_area_m2": "JZMJ",
                "storeys": "CS",
                "land_origin": "ZYDL",
                "location": "ZL",
                "applicant_name": "SQRXM",
                "applicant_id_no": "SQRZJHM",
                "household_size": "JTRK",
            },
        ),
    }

    @cached_property
    def auth(self) -> Auth:
        return TIF(self.ports)
