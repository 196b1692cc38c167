"""An adapter over a drop, as one would stand in `adapters/`: payments, one a row."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import FieldRule, FilesAdapter, FilesStream


class Payments(FilesAdapter):
    name = "payments"
    title = "财政补贴文件"
    streams: ClassVar[Mapping[str, FilesStream]] = {
        "payment": FilesStream(
            pattern="{county}_CZJ_YKT_{date}_{seq}.{ext}",
            flag="md5",
            mapping={
                "detail_id": "明细编号",
                "year": "年度",
                "item_name": "项目名称",
                "status": FieldRule(from_="状态", codes={"发放成功": "paid"}),
                "payee_name": "姓名",
                "payee_id_no": "身份证号",
                "amount_paid": "金额",
            },
        )
    }
