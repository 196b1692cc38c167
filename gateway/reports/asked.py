"""What a bank asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by whom, under which consent."""

    number: str
    id_no: str
    name: str
    institution: str
    institution_title: str
    user: str
    purpose: str
    consent: str
    classes: frozenset[str]
    at: str
    """Business time, ISO, Asia/Shanghai."""
    submitter: str
    suite: str
    """Of the report's digest and signature."""

    @property
    def today(self) -> date:
        return date.fromisoformat(self.at[:10])
