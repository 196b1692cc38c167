"""The words in which catalogues state a frequency and a deadline: data, no sentences.

Frequencies are those of china-facts §1.8 with their synonyms. Their numeric codes differ from platform to platform and are
read by a table of that platform only (`frequency_codes` in catalogue.yaml), never guessed.
"""

from __future__ import annotations

import re
from typing import Final

FREQUENCIES: Final[dict[str, tuple[str, ...]]] = {
    "实时更新": ("实时", "即时", "REALTIME"),
    "每小时": ("按小时", "小时", "HOURLY"),
    "每日": ("每天", "日", "按日", "按天", "T+1", "每日更新", "DAILY"),
    "每周": ("周", "按周", "每周更新", "WEEKLY"),
    "每旬": ("旬", "按旬", "TEN_DAYS"),
    "每半月": ("半月", "按半月", "HALF_MONTHLY"),
    "每月": ("月", "按月", "按月更新", "每月更新", "MONTHLY"),
    "每季度": ("每季", "季", "季度", "按季", "按季度", "QUARTERLY"),
    "每半年": ("半年", "按半年", "HALF_YEARLY"),
    "每年": ("年", "按年", "每年更新", "YEARLY"),
    "不定期": ("不定时", "按需", "其他", "IRREGULAR"),
    "一次性": ("不更新", "静态", "STATIC"),
}
"""Canonical word -> what else is written for it."""

_CANONICAL: Final = {
    synonym.casefold(): word for word, synonyms in FREQUENCIES.items() for synonym in (word, *synonyms)
}


def read_frequency(text: str) -> str | None:
    """The canonical word; None for what is none of ours."""
    return _CANONICAL.get(text.strip().casefold())


_DAY: Final = r"(?P<day>\d{1,2})"
_COUNT: Final = r"(?P<count>\d{1,3})"
_CLOCK: Final = r"(?P<hour>\d{1,2})(?:(?:点|:|：)(?P<minute>\d{2})?分?)"
_AFTER: Final = r"(?:期满|期末|月末|月底|旬末|季末|年末|周末|每期)?后?"
WEEKDAYS: Final = "一二三四五六日"
ENGLISH_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

FORMS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("minutes", rf"{_COUNT}分钟内"),
        ("minutes", rf"within {_COUNT} minutes?"),
        ("hours", rf"{_AFTER}{_COUNT}(?:个)?小时内"),
        ("hours", rf"within {_COUNT} hours?"),
        ("workdays", rf"{_AFTER}{_COUNT}个工作日内"),
        ("workdays", rf"within {_COUNT} working days?"),
        ("days", rf"{_AFTER}{_COUNT}(?:日|天|个自然日)内"),
        ("days", rf"within {_COUNT} days?"),
        ("month_day", rf"(?:次月|每月|下月|次季首月){_DAY}日前"),
        ("month_day", rf"by the {_DAY}(?:st|nd|rd|th)"),
        ("month_end", r"(?:次月|下月)(?:底|末)前"),
        ("month_end", r"by the end of the next month"),
        ("year_day", rf"次年(?P<month>\d{{1,2}})月{_DAY}日前"),
        ("year_day", rf"by (?P<month>\d{{1,2}})-{_DAY} next year"),
        ("weekday", rf"(?:次周|下周)(?P<weekday>[{WEEKDAYS}])前"),
        ("weekday", rf"by (?P<weekday>{'|'.join(ENGLISH_WEEKDAYS)})"),
        ("next_day", rf"次日{_CLOCK}前"),
        ("next_day", r"by (?P<hour>\d{1,2}):(?P<minute>\d{2}) next day"),
        ("next_workday", rf"(?:次工作日|下一工作日|下个工作日){_CLOCK}前"),
        ("next_workday", r"by (?P<hour>\d{1,2}):(?P<minute>\d{2}) next working day"),
    )
)
"""Kind of a deadline -> how it is written, whole."""

SHIFTS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("later", re.compile(r"[，,、\s]*(?:遇|如遇|逢)?(?:法定)?节假日(?:及双休日)?(?:顺延|往后顺延|延后)$")),
    ("later", re.compile(r",\s*next working day$", re.IGNORECASE)),
    ("earlier", re.compile(r"[，,、\s]*(?:遇|如遇|逢)?(?:法定)?节假日(?:及双休日)?(?:提前|往前提)$")),
    ("earlier", re.compile(r",\s*previous working day$", re.IGNORECASE)),
)

EXAMPLES: Final = (
    "次月10日前",
    "次月10日前，遇节假日顺延",
    "次月底前",
    "次年1月31日前",
    "次周三前",
    "次日8:00前",
    "次工作日12:00前",
    "月末后5个工作日内",
    "期满后3日内",
    "24小时内",
    "30分钟内",
)
"""One for each form, as shown to who wrote something else."""

DEFAULTS: Final = {
    "实时更新": "24小时内",
    "每小时": "3小时内",
    "每日": "期满后1日内",
    "每周": "期满后3日内",
    "每旬": "期满后4日内",
    "每半月": "期满后5日内",
    "每月": "期满后10日内",
    "每季度": "期满后20日内",
    "每半年": "期满后30日内",
    "每年": "期满后45日内",
}
"""Where a catalogue states no deadline: the suggestions of china-facts §1.8."""
