"""An adapter over a front-end table, as one would stand in `adapters/`: payments, one a row."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import DeletedRule, FieldRule, TableAdapter, TableStream


class Awards(TableAdapter):
    name = "awards"
    title = "财政前置库"
    streams: ClassVar[Mapping[str, TableStream]] = {
        "payment": TableStream(
            table="T_CZ_BTFF",
            time="JHPT_UPDATE_TIME",
            time_format="%Y-%m-%d %H:%M:%S",
            source_time="GXSJ",
            deleted=DeletedRule(from_="JHPT_DELETE", equals=("1",)),
            mapping={
                "detail_id": "MXID",
                "year": "ND",
                "item_name": "BTXMMC",
                "status": FieldRule(from_="FFZT", codes={"发放成功": "paid"}),
                "payee_name": "XM",
                "payee_id_no": "SFZH",
                "amount_paid": "SFJE",
            },
        )
    }
