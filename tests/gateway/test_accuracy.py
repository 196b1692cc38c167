"""What a spot check says of the whole: intervals that cover the truth, samples that come again."""

from __future__ import annotations

from random import Random

import pytest

from gateway.accuracy import Accuracy, drawn, wilson

AGENCIES = ("公安局", "民政局", "自然资源局", "农业农村局", "财政局")
HELD, EACH, WRONG = 2_000, 150, 0.03


def test_with_three_percent_wrong_the_interval_covers_the_truth() -> None:
    """In at least 930 of 1,000 fixed seeds, for every agency."""
    for agency in AGENCIES:
        planted = set(Random(agency).sample(range(HELD), round(HELD * WRONG)))
        covered = 0
        for seed in range(1_000):
            sample = drawn(range(HELD), EACH, f"{seed}/{agency}")
            low, high = wilson(sum(number not in planted for number in sample), len(sample))
            covered += low <= 1 - WRONG <= high
        assert covered >= 930, (agency, covered)


@pytest.mark.parametrize(
    ("hits", "count", "interval"),
    [
        (0, 0, (0.0, 1.0)),
        (10, 10, (0.7225, 1.0)),
        (0, 10, (0.0, 0.2775)),
        (58, 60, (0.8864, 0.9908)),
        (485, 500, (0.9511, 0.9818)),
    ],
)
def test_wilson(hits: int, count: int, interval: tuple[float, float]) -> None:
    assert wilson(hits, count) == pytest.approx(interval, abs=1e-4)


def test_a_sample_is_drawn_once_each_in_order_and_comes_again() -> None:
    whole = [f"{n:03d}" for n in range(100)]
    sample = drawn(whole, 20, "1/360981/marriage")
    assert sample == sorted(set(sample)) == drawn(whole, 20, "1/360981/marriage")
    assert drawn(whole, 20, "2/360981/marriage") != sample
    assert drawn(whole, 200, "1") == whole


def test_figures_are_told_in_text() -> None:
    told = Accuracy(58, 60, "2026-03-01").as_dict()
    assert told == {
        "right": "58",
        "checked": "60",
        "until": "2026-03-01",
        "share": "0.967",
        "low": "0.886",
        "high": "0.991",
    }
