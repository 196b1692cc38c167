"""Frequencies and deadlines: what a clerk may write, and the dates it means over 2025 and 2026."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calendar import WorkingCalendar
from gateway.promise import (
    CONTINUOUS,
    DATED,
    FREQUENCIES,
    default_rule,
    due,
    fits,
    period_of,
    read_frequency,
    read_rule,
    whole_day,
)
from gateway.promise.words import EXAMPLES

CALENDAR = WorkingCalendar()
PAGE = (Path(__file__).parents[2] / "docs/update-frequency.md").read_text("utf-8")


def of(frequency: str, rule: str, day: date, grace: timedelta = timedelta()) -> tuple[str, str, bool]:
    """Name of the period, its due moment, whether that is sure."""
    period = period_of(frequency, day)
    made = due(read_rule(rule), period, CALENDAR, grace)
    return period.name, made.moment.strftime("%Y-%m-%d %H:%M"), made.verified


@pytest.mark.parametrize(
    ("text", "word"),
    [(s, word) for word, synonyms in FREQUENCIES.items() for s in (word, *synonyms)],
)
def test_every_synonym_is_read(text: str, word: str) -> None:
    assert read_frequency(f" {text} ") == word


@pytest.mark.parametrize("text", ["1", "01", "4", "常常", ""])
def test_numbers_and_other_words_are_no_frequency(text: str) -> None:
    assert read_frequency(text) is None


@pytest.mark.parametrize(
    ("frequency", "count", "names"),
    [
        ("实时更新", 730, ("2025-01-01", "2026-12-31")),
        ("每小时", 730, ("2025-01-01", "2026-12-31")),
        ("每日", 730, ("2025-01-01", "2026-12-31")),
        ("每周", 105, ("2025-W01", "2026-W53")),
        ("每旬", 72, ("2025-01-T1", "2026-12-T3")),
        ("每半月", 48, ("2025-01-M1", "2026-12-M2")),
        ("每月", 24, ("2025-01", "2026-12")),
        ("每季度", 8, ("2025-Q1", "2026-Q4")),
        ("每半年", 4, ("2025-H1", "2026-H2")),
        ("每年", 2, ("2025", "2026")),
    ],
)
def test_periods_of_two_years_touch_and_have_names_of_their_own(
    frequency: str, count: int, names: tuple[str, str]
) -> None:
    made = [period_of(frequency, date(2025, 1, 1))]
    while made[-1].ends <= date(2026, 12, 31):
        made.append(period_of(frequency, made[-1].ends))
        assert made[-1].starts == made[-2].ends
    assert len(made) == len({p.name for p in made}) == count
    assert (made[0].name, made[-1].name) == names


@given(st.sampled_from(DATED), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_each_day_of_a_period_belongs_to_it_and_so_does_data_that_names_it(frequency: str, day: date) -> None:
    period = period_of(frequency, day)
    assert period.starts <= day < period.ends
    assert period_of(frequency, period.starts) == period_of(frequency, period.ends - timedelta(days=1)) == period
    assert period.low <= day.isoformat() < period.high


def test_a_month_counts_for_its_quarter_and_a_year_for_itself_alone() -> None:
    quarter, year = period_of("每季度", date(2026, 2, 1)), period_of("每年", date(2026, 2, 1))
    assert [name for name in ("2025-12", "2026-01", "2026-03", "2026-04") if quarter.low <= name < quarter.high] == [
        "2026-01",
        "2026-03",
    ]
    assert [name for name in ("2025", "2026", "2026-07", "2027") if year.low <= name < year.high] == ["2026", "2026-07"]


@pytest.mark.parametrize(
    ("frequency", "rule", "day", "expected"),
    [
        # the 10th, plain and moved: 10 January 2026 is a Saturday off, 10 October 2026 a Saturday worked
        ("每月", "次月10日前", date(2025, 12, 31), ("2025-12", "2026-01-10 23:59", True)),
        ("每月", "次月10日前，遇节假日顺延", date(2025, 12, 31), ("2025-12", "2026-01-12 23:59", True)),
        ("每月", "次月10日前，遇节假日提前", date(2025, 12, 31), ("2025-12", "2026-01-09 23:59", True)),
        ("每月", "by the 10th, next working day", date(2026, 9, 30), ("2026-09", "2026-10-10 23:59", True)),
        ("每月", "次月3日前，遇节假日顺延", date(2026, 9, 1), ("2026-09", "2026-10-08 23:59", True)),
        # the Spring Festival of 2026 is 15 to 23 February
        ("每月", "每月15日前，遇节假日顺延", date(2026, 1, 31), ("2026-01", "2026-02-24 23:59", True)),
        ("每月", "每月14日前，遇节假日顺延", date(2026, 1, 31), ("2026-01", "2026-02-14 23:59", True)),
        # month ends: the 31st of a shorter month is its last day
        ("每月", "次月31日前", date(2026, 1, 31), ("2026-01", "2026-02-28 23:59", True)),
        ("每月", "次月30日前", date(2024, 1, 31), ("2024-01", "2024-02-29 23:59", True)),
        ("每月", "次月底前", date(2026, 1, 31), ("2026-01", "2026-02-28 23:59", True)),
        ("每月", "次月底前", date(2025, 12, 1), ("2025-12", "2026-01-31 23:59", True)),
        # working days: October 2026 begins with a week off, the 10th is made up
        ("每月", "月末后5个工作日内", date(2026, 9, 30), ("2026-09", "2026-10-13 23:59", True)),
        ("每月", "within 3 working days", date(2026, 1, 31), ("2026-01", "2026-02-04 23:59", True)),
        ("每月", "期满后10日内", date(2026, 2, 10), ("2026-02", "2026-03-10 23:59", True)),
        ("每季度", "次季首月15日前", date(2026, 5, 1), ("2026-Q2", "2026-07-15 23:59", True)),
        ("每季度", "季末后20日内", date(2026, 8, 1), ("2026-Q3", "2026-10-20 23:59", True)),
        ("每半年", "期满后30天内", date(2026, 1, 1), ("2026-H1", "2026-07-30 23:59", True)),
        ("每年", "次年1月31日前", date(2025, 6, 1), ("2025", "2026-01-31 23:59", True)),
        ("每周", "次周三前", date(2026, 9, 29), ("2026-W40", "2026-10-07 23:59", True)),
        ("每周", "by Wednesday, next working day", date(2026, 9, 29), ("2026-W40", "2026-10-08 23:59", True)),
        ("每旬", "旬末后3日内", date(2026, 2, 25), ("2026-02-T3", "2026-03-03 23:59", True)),
        ("每半月", "期满后5日内", date(2026, 2, 15), ("2026-02-M1", "2026-02-20 23:59", True)),
        ("每日", "次日8:00前", date(2026, 2, 16), ("2026-02-16", "2026-02-17 08:00", True)),
        ("每日", "次日18点前", date(2026, 2, 16), ("2026-02-16", "2026-02-17 18:00", True)),
        ("每日", "次工作日12:00前", date(2026, 2, 16), ("2026-02-16", "2026-02-24 12:00", True)),
        ("每日", "24小时内", date(2026, 2, 16), ("2026-02-16", "2026-02-18 00:00", True)),
        # past the horizon
        ("每月", "次月10日前，遇节假日顺延", date(2026, 12, 1), ("2026-12", "2027-01-11 23:59", False)),
        ("每年", "次年1月31日前", date(2026, 12, 1), ("2026", "2027-01-31 23:59", False)),
    ],
)  # fmt: skip
def test_dates_as_they_fall(frequency: str, rule: str, day: date, expected: tuple[str, str, bool]) -> None:
    assert of(frequency, rule, day) == expected


def test_every_default_fits_its_frequency_and_every_month_of_two_years_has_its_day() -> None:
    for frequency in DATED:
        assert fits(default_rule(frequency), frequency)
    months = [date(2025 + n // 12, n % 12 + 1, 1) for n in range(24)]
    days = [of("每月", "次月10日前，遇节假日顺延", month)[1][5:10] for month in months]
    assert days == [
        "02-10", "03-10", "04-10", "05-12", "06-10", "07-10", "08-11", "09-10", "10-10", "11-10", "12-10", "01-12",
        "02-10", "03-10", "04-10", "05-11", "06-10", "07-10", "08-10", "09-10", "10-10", "11-10", "12-10", "01-11",
    ]  # fmt: skip


def test_grace_comes_on_top_and_is_explained() -> None:
    made = due(read_rule("次月10日前，遇节假日顺延"), period_of("每月", date(2025, 12, 1)), CALENDAR, timedelta(days=2))
    assert made.moment.isoformat() == "2026-01-14T23:59:59+08:00"
    assert made.steps == (
        "2025-12 止于 2025-12-31",
        "按“次月10日前，遇节假日顺延”是 2026-01-10（休息）",
        "不是工作日，移到 2026-01-12（上班）",
        "宽限 2 天，到 2026-01-14 23:59",
    )


def test_a_day_of_a_continuous_promise_is_judged_when_it_is_over() -> None:
    made = whole_day(read_rule("24小时内"), period_of("实时更新", date(2026, 3, 2)), CALENDAR)
    assert made.moment == datetime.fromisoformat("2026-03-02T23:59:59+08:00")


@pytest.mark.parametrize("text", ["", "尽快", "10日前", "次月", "次月10日", "next week", "每周三前"])
def test_an_unknown_rule_is_one_sentence_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="看不懂期限") as found:
        read_rule(text)
    assert all(form in str(found.value) for form in EXAMPLES)


@pytest.mark.parametrize("text", ["次月0日前", "次月32日前", "次年13月1日前", "次日25:00前", "次日8:61前", "0小时内"])
def test_numbers_no_calendar_has_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="里的数不对"):
        read_rule(text)


@pytest.mark.parametrize(
    ("rule", "frequencies"),
    [
        ("24小时内", DATED),
        ("30分钟内", CONTINUOUS),
        ("次月10日前", ("每旬", "每半月", "每月", "每季度", "每半年", "每年")),
        ("次周三前", ("每周",)),
        ("次日8:00前", ("每日",)),
        ("次年1月31日前", ("每半年", "每年")),
        ("期满后3日内", tuple(f for f in DATED if f not in CONTINUOUS)),
    ],
)
def test_a_rule_fits_only_frequencies_it_says_something_about(rule: str, frequencies: tuple[str, ...]) -> None:
    assert tuple(f for f in DATED if fits(read_rule(rule), f)) == tuple(frequencies)


def test_the_page_for_clerks_lists_every_form_and_every_synonym() -> None:
    assert [form for form in EXAMPLES if f"`{form}`" not in PAGE] == []
    assert [s for word, synonyms in FREQUENCIES.items() for s in (word, *synonyms) if s not in PAGE] == []
