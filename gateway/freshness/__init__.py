"""Promises held against what came: arrivals by period, the ledger of obligations, and verdicts with an owner (DESIGN §9)."""

from gateway.freshness.arrivals import Ending, close_run, count_arrivals
from gateway.freshness.health import lies, note_certificate, tellable, verdicts
from gateway.freshness.keeper import Keeper
from gateway.freshness.ledger import Explained, Ledger, PeriodLine, Standing
from gateway.freshness.verdicts import Finding

__all__ = [
    "Ending",
    "Explained",
    "Finding",
    "Keeper",
    "Ledger",
    "PeriodLine",
    "Standing",
    "close_run",
    "count_arrivals",
    "lies",
    "note_certificate",
    "tellable",
    "verdicts",
]
