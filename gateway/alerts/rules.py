"""Where an alert goes and when it may be told. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from gateway.config import AlertsModel, RouteModel
from gateway.freshness import Finding

_COUNTY = re.compile(r"\d{6}(?=/|$)")
_KEPT = ("on_time", "made_up")


@dataclass(frozen=True, slots=True)
class Told:
    """One telling: through which channel, from when on."""

    channel: str
    due_at: datetime


def tellable(finding: Finding) -> bool:
    """Whether it is told of itself: a county adds up its duties, and of a promise that was kept, but is on no chain, the sink tells."""
    kept = finding.kind == "duty" and finding.code in _KEPT
    return finding.owner is not None and finding.kind != "county" and not kept


def county_of(target: str) -> str:
    """The county a target belongs to; empty for accounts, sinks and the gateway itself."""
    found = _COUNTY.match(target)
    return found[0] if found else ""


def routes_of(model: AlertsModel, kind: str, target: str, owner: str) -> Iterator[RouteModel]:
    """Every route that takes such an alert."""
    county = county_of(target)
    for route in model.routes:
        wants = (route.owners, owner), (route.counties, county), (route.kinds, kind)
        if all(not said or value in said for said, value in wants):
            yield route


def tellings(model: AlertsModel, kind: str, target: str, owner: str, now: datetime) -> list[Told]:
    """Each channel once; by the earliest of the routes that lead to it."""
    out: dict[str, datetime] = {}
    for route in routes_of(model, kind, target, owner):
        due = now if route.at_night else morning(model, now)
        for name in route.to:
            out[name] = min(due, out.get(name, due))
    return [Told(name, due) for name, due in out.items()]


def escalations(
    model: AlertsModel, kind: str, target: str, owner: str, told_at: datetime, now: datetime
) -> Iterator[Told]:
    """Channels that are told because nobody took it up in time."""
    for route in routes_of(model, kind, target, owner):
        if route.escalate is not None and now - told_at >= route.escalate.after:
            due = now if route.at_night else morning(model, now)
            yield from (Told(name, due) for name in route.escalate.to)


def morning(model: AlertsModel, now: datetime) -> datetime:
    """Now, or the end of the quiet hours that it falls into."""
    if model.quiet is None:
        return now
    begin, end = model.night
    clock = now.timetz().replace(tzinfo=None)
    quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not quiet:
        return now
    over = datetime.combine(now.date(), end, now.tzinfo)
    return over if over > now else over + timedelta(days=1)


def covered(pattern: str, kind: str, target: str) -> bool:
    """Whether a window's words mean this: `360981/*`, `account:fengcheng-*`, `*`."""
    return fnmatchcase(target, pattern) or fnmatchcase(f"{kind}:{target}", pattern)
