"""农业农村: subsidies and contracts of land (changes since the last read), directories of entities (in full), behind a
public-data platform (china-facts §1.1 P2, §3.5, §3.6, §3.8).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Final

from adapters.kit import ZJ, Auth, Envelope, FieldRule, PageNumber, RestAdapter, RestStream, Since

ROWS: Final = Envelope(rows="datas", total="totalDataCount", success={"code": ("00",)}, errors="errItems")
OLDER: Final = replace(ROWS, success={"recode": ("000000", ""), "code": ("00", "")})
"""Answers of this interface say `recode`; refusals come from the gateway before it and say `code`."""
NO_IS_2: Final = {"1": "1", "2": "0"}
"""是否 in NY/T 2539 and in the directories."""


def _plot(column: str, codes: dict[str, str] | None = None) -> FieldRule:
    return FieldRule(from_=column, each="CBDKXX", codes=codes)


def _member(column: str, codes: dict[str, str] | None = None) -> FieldRule:
    return FieldRule(from_=column, each="CBF_JTCY", codes=codes)


class Agriculture(RestAdapter):
    name = "agriculture"
    title = "农业农村数据共享平台"
    streams: ClassVar[Mapping[str, RestStream]] = {
        "subsidy": RestStream(
            path="/gateway/api/{county}/dataSharing/nybtffmx0001.htm",
            envelope=ROWS,
            paging=PageNumber(limit=500),
            since=Since("gxsj"),
            source_time="GXSJ",
            mapping={
                "detail_id": "MXBH",
                "subsidy_type": "BTLX",
                "year": "BTND",
                "period": "SSYF",
                "item": "BTDX",
                "division": "QHDM",
                "document_no": "ZJWH",
                "status": "BTZT",
                "paid_on": "FFRQ",
                "payee_name": "XM",
                "payee_id_no": "SFZH",
                "contracted_mu": "CBDMJ",
                "let_out_mu": "LZCMJ",
                "entrusted_mu": "DGDZMJ",
                "excluded_mu": "BYBTMJ",
                "subsidised_mu": "BTMJ",
                "quantity": "BTSL",
                "quantity_unit": "JLDW",
                "standard": "BTBZ",
                "amount": "BTJE",
                "account_tail": "YHZH",
            },
        ),
        "contracted_land": RestStream(
            path="/gateway/api/{county}/dataSharing/cbhtxx0002.htm",
            envelope=ROWS,
            paging=PageNumber(limit=100),
            since=Since("gxsj"),
            source_time="GXSJ",
            mapping={
                "contract_code": "CBHTBM",
                "contractor_code": "CBFBM",
                "issuer_code": "FBFBM",
                "issuer_name": "FBFMC",
                "contractor_type": "CBFLX",
                "way": "CBFS",
                "valid_from": "CBQXQ",
                "valid_to": "CBQXZ",
                "signed_on": "QDSJ",
                "area_m2": "HTZMJ",
                "area_mu": "HTZMJM",
                "plot_count": "CBDKZS",
                "certificate_code": "CBJYQZBM",
                "cert_no": "CBJYQZLSH",
                "contractor_name": "CBFMC",
                "contractor_id_no": "CBFZJHM",
                "member_count": "CBFCYSL",
                "plots.code": _plot("DKBM"),
                "plots.name": _plot("DKMC"),
                "plots.kind": _plot("DKLB"),
                "plots.use": _plot("TDYT"),
                "plots.grade": _plot("DLDJ"),
                "plots.basic_farmland": _plot("SFJBNT", NO_IS_2),
                "plots.way": _plot("CBJYQQDFS"),
                "plots.area_m2": _plot("HTMJ"),
                "plots.area_mu": _plot("HTMJM"),
                "plots.by_share": _plot("SFQQQG", NO_IS_2),
                "members.name": _member("CYXM"),
                "members.id_no": _member("CYZJHM"),
                "members.relation": _member("YHZGX"),
                "members.co_owner": _member("SFGYR", NO_IS_2),
            },
        ),
        "agri_entity": RestStream(
            path="/gateway/api/{county}/dataSharing/xxnyjyzt0003.htm",
            envelope=OLDER,
            paging=PageNumber("pageNo", limit=200),
            snapshot=True,
            source_time="GXSJ",
            mapping={
                "credit_code": "XYDM",
                "directory_no": "MLBH",
                "entity_type": "ZTLX",
                "name": "ZTMC",
                "registered": FieldRule(from_="SFDJ", codes=NO_IS_2),
                "level": "SFJB",
                "recognised_on": "RDRQ",
                "recognition_no": "RDWH",
                "valid_to": "YXQZ",
                "monitored_in": "JCND",
                "monitoring": "JCJG",
                "established_on": "CLRQ",
                "business_kind": "JYLX",
                "products": "ZYCP",
                "status": "ZT",
                "division": "QHDM",
                "location": "DZ",
                "operator_name": "FZRXM",
                "operator_id_no": "FZRSFZH",
                "land_mu": "JYTDMJ",
                "rented_mu": "LZMJ",
                "stock": "CLS",
                "sold": "CLLS",
                "scale_unit": "JLDW",
                "member_count": "CYS",
                "worker_count": "LDLS",
                "capital": FieldRule(from_="CZE", unit="万元"),
                "yearly_sales": FieldRule(from_="NXSE", unit="万元"),
            },
        ),
    }

    @cached_property
    def auth(self) -> Auth:
        return ZJ(self.ports, self.settings.base_url)
