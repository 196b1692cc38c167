"""省政务数据共享交换平台, 订阅推送: changes of homestead rights as signed notifications (china-facts §1.6, §3.4)."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import FieldRule, IgnoreRule, PushAdapter, PushStream

HOMESTEAD_RIGHTS = {"5": "5", "6": "6", "8001606": "5", "8001607": "6"}
"""宅基地使用权, with and without a house: the national codes and a local variant (§2.5)."""


class ProvincialPush(PushAdapter):
    name = "provincial_push"
    title = "省共享交换平台（推送）"
    streams: ClassVar[Mapping[str, PushStream]] = {
        "homestead": PushStream(
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
        ),
    }
