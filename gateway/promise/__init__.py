"""What an agency promised: how often, until when, on which calendar. Pure; `config` reads it, `freshness` holds it against what came."""

from gateway.promise.base import Promise
from gateway.promise.periods import CONTINUOUS, DATED, Period, period_of, precision
from gateway.promise.rules import Due, Rule, default_rule, due, fits, read_rule, whole_day
from gateway.promise.words import FREQUENCIES, read_frequency

__all__ = [
    "CONTINUOUS",
    "DATED",
    "FREQUENCIES",
    "Due",
    "Period",
    "Promise",
    "Rule",
    "default_rule",
    "due",
    "fits",
    "period_of",
    "precision",
    "read_frequency",
    "read_rule",
    "whole_day",
]
