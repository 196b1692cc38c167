"""Rows of a sheet that are no data, by the words that clerks begin them with (china-facts §1.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.kit.rules import FIRST, IgnoreRule

NOTES: Final = (
    "备注",
    "附注",
    "说明",
    "注：",
    "注:",
    "填表",
    "制表",
    "填报",
    "审核",
    "复核",
    "经办",
    "负责人",
    "领导签字",
    "单位负责人",
    "单位（",
    "单位(",
    "联系电话：",
    "联系电话:",
    "公示",
)
TOTALS: Final = ("合计", "总计", "小计", "共计", "累计")

TOTALS_AND_NOTES: Final[Mapping[str, IgnoreRule]] = {
    "TOTAL_ROW": IgnoreRule(from_=FIRST, starts=TOTALS),
    "NOTE_ROW": IgnoreRule(from_=FIRST, starts=NOTES),
}
"""What `FilesStream.ignore` is unless an adapter says otherwise; `{**TOTALS_AND_NOTES, "MINE": …}` adds to it."""
