"""What `catalogue.yaml` may say of facts whose source is late: a report serves, flags or withholds them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Literal, TypeAlias

from pydantic import StrictStr

from adapters.kit import Span
from gateway.config.base import Strict

Policy: TypeAlias = Literal["serve", "flag", "withhold"]


class StaleModel(Strict):
    """Of one dataset."""

    policy: Policy = "flag"
    after: Span | None = None
    """How long after its last contact a source counts as late; absent: when the duty is owed (overdue, missing, unverified)."""
    fields: dict[StrictStr, Policy] = {}
    """Fields that differ. What is withheld goes with its whole disclosure group: a proof opens no less."""

    def of(self, field: str) -> Policy:
        return "withhold" if self.policy == "withhold" else self.fields.get(field, self.policy)

    def late(self, *, owed: bool, silent: timedelta | None) -> bool:
        """`silent`: since the last contact; None where there was none."""
        return owed if self.after is None else silent is None or silent > self.after

    def unknown(self, fields: Collection[str]) -> list[str]:
        """Fields named here that there are not."""
        return sorted(self.fields.keys() - set(fields))
