"""Rejected items, until each is settled: seen by cause, told to the agency in its own terms, put right, returned, discarded."""

from gateway.quarantine.cures import Cure, by_agency, cures
from gateway.quarantine.items import REPAIR, Cause, Event, HeldItem, KeptRows, Opened, Quarantine, Returned, decode_item
from gateway.quarantine.terms import Terms, agency_of, column_kinds, marks
from gateway.quarantine.workbook import Line, read_back, workbook

__all__ = [
    "REPAIR",
    "Cause",
    "Cure",
    "Event",
    "HeldItem",
    "KeptRows",
    "Line",
    "Opened",
    "Quarantine",
    "Returned",
    "Terms",
    "agency_of",
    "by_agency",
    "column_kinds",
    "cures",
    "decode_item",
    "marks",
    "read_back",
    "workbook",
]
