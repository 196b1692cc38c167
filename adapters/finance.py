"""财政: 一卡通发放明细 dropped as files, one payment a row (china-facts §1.5, §3.7)."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import FilesAdapter, FilesStream


class Finance(FilesAdapter):
    name = "finance"
    title = "财政一卡通文件"
    streams: ClassVar[Mapping[str, FilesStream]] = {
        "payment": FilesStream(
            pattern="{county}_CZJ_YKT_{date}_{seq}.{ext}",
            flag="md5",
            source_time="@date",
            mapping={
                "detail_id": "明细编号",
                "batch_no": "批次号",
                "year": "年度",
                "item_code": "补贴项目编码",
                "item_name": "补贴项目名称",
                "authority": "主管部门",
                "document_no": "资金文号",
                "division": "区划代码",
                "status": "发放状态",
                "paid_on": "发放日期",
                "failure": "失败原因",
                "payee_name": "姓名",
                "payee_id_no": "身份证号",
                "amount_due": "应发金额",
                "amount_paid": "实发金额",
                "account_tail": "社保卡账号",
            },
        ),
    }
