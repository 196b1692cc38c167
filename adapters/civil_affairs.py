"""民政: marriage acts (changes since the last read) and the assistance list in force this month (china-facts §3.3, §3.9)."""

from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

from adapters.kit import Auth, Envelope, FieldRule, LoginBearer, Offset, RestAdapter, RestStream, Since


class CivilAffairs(RestAdapter):
    name = "civil_affairs"
    title = "民政业务系统"
    streams: ClassVar[Mapping[str, RestStream]] = {
        "marriage": RestStream(
            path="/api/marriage",
            envelope=Envelope(rows="data.list", total="data.total", errors="errItems"),
            paging=Offset(limit=200),
            since=Since("since"),
            source_time="update_time",
            mapping={
                "op_type": "op_type",
                "op_date": "op_date",
                "cert_no": "cert_no",
                "dept_code": "dept_code",
                "dept_name": "dept_name",
                "parties.0.role": FieldRule(const="man"),
                "parties.0.name": "name_man",
                "parties.0.id_no": "cert_num_man",
                "parties.0.birth_date": "birth_man",
                "parties.0.nationality": "nation_man",
                "parties.1.role": FieldRule(const="woman"),
                "parties.1.name": "name_woman",
                "parties.1.id_no": "cert_num_woman",
                "parties.1.birth_date": "birth_woman",
                "parties.1.nationality": "nation_woman",
            },
        ),
        "assistance": RestStream(
            path="/api/assistance",
            params={"month": "{month}"},
            envelope=Envelope(
                rows="data", total="totalItems", success={"state": ("200",)}, message="message", errors="errItems"
            ),
            paging=Offset(limit=200),
            snapshot=True,
            source_time="GXSJ",
            mapping={
                "cert_no": "JZZH",
                "kind": "JZLX",
                "category": "BZLB",
                "since": "QSNY",
                "until": "ZZNY",
                "period": "SSNY",
                "covered_people": "BZRK",
                "division": "QHDM",
                "name": "XM",
                "id_no": "SFZH",
                "monthly_amount": "BZJE",
            },
        ),
    }

    @cached_property
    def auth(self) -> Auth:
        return LoginBearer(self.ports, f"{self.settings.base_url}/auth/token")
