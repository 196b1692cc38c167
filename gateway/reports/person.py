"""One subject's facts, sorted into sections, and what follows from them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from gateway.reports import derive
from gateway.reports.asked import Asked
from gateway.reports.facts import Fact, FactFinder
from gateway.reports.marriage import TITLES as MARITAL_TITLES
from gateway.reports.marriage import Marital, Status, contradicts, marital
from gateway.reports.sections import TITLES, State
from gateway.reports.standing import Standing, only, resolve
from schemas import DATASETS
from schemas.codes import code_title
from schemas.masking import mask

YEARS: Final = 3
"""Subsidies of this and the two years before."""


class Person:
    """One subject's facts, sorted into sections, and what follows from them."""

    def __init__(self, finder: FactFinder, standings: list[Standing], asked: Asked) -> None:
        self._asked, self._standings = asked, standings
        self._register = only(standings, "household_member", lambda f: "person" in f.roles)
        self.row = derive.register_row(self._register)
        self.county = self.row.county if self.row else None
        self.home = _household(finder, self.row)
        self._finder = finder
        since = asked.today.year - YEARS + 1
        self._subsidies = derive.subsidy_nets(only(standings, "subsidy"), since)
        self._payments = derive.payment_nets(only(standings, "payment"))
        self._traits = derive.traits(only(standings, "agri_entity"))
        self.marital = marital(only(standings, "marriage"), asked.id_no, self._died_on)

    def _died_on(self, id_no: str) -> str | None:
        rows = only(resolve(self._finder.about(id_no)), "household_member", lambda f: "person" in f.roles)
        return next((died for s in rows if (died := s.fact.text("died_on"))), None)

    def facts(self, section: str) -> list[Fact]:
        match section:
            case "subject":
                return [self.row] if self.row else []
            case "household":
                return [f for f in self.home if self._is_shown(f)] if self.row else []
            case "marriage":
                return [s.fact for s in only(self._standings, "marriage")]
            case "real_estate":
                return self._of("homestead") + self._of("homestead_approval")
            case "subsidy":
                return [f for net in self._subsidies for f in net.facts]
            case "payment":
                return [f for net in self._payments for f in net.facts]
            case "traits":
                return self._of("agri_entity")
            case _:
                return self._of(section)

    def _of(self, dataset: str) -> list[Fact]:
        return [s.fact for s in only(self._standings, dataset)]

    def _is_shown(self, member: Fact) -> bool:
        years = derive.age(member.text("birth_date"), self._asked.today)
        return years is None or years >= derive.GROWN_UP

    def derived(self, section: str, state: State, told: Collection[str] = DATASETS) -> dict[str, Any] | None:
        """What the section states beyond its facts; None where it knows nothing. `told`: datasets that may be spoken of."""
        if section == "marriage" and state is not State.UNKNOWN:
            register = self._register if "household_member" in told else []
            return _marital(self.marital, contradicts(self.marital, register))
        if section == "traits" and state is not State.UNKNOWN:
            return {
                "traits": [
                    {"code": code, "title": title, "held": bool(self._traits[code]), "text": _held(self._traits[code])}
                    for code, title in derive.TRAITS.items()
                ]
            }
        if state is not State.DATA:
            return None
        if section == "subject":
            return {"name_agrees": self.row is not None and self.row.text("name") == self._asked.name}
        if section == "household":
            shown = [f for f in self.home if self._is_shown(f)]
            minors = str(len(self.home) - len(shown))
            return {"members": str(len(self.home)), "minors": minors, "people": [_member(f, self.row) for f in shown]}
        nets = {"subsidy": self._subsidies, "payment": self._payments}.get(section)
        return {"nets": [_net(section, net) for net in nets]} if nets is not None else None

    def discrepancies(self, told: Collection[str]) -> list[derive.Discrepancy]:
        """Contradictions within these datasets: one with another dataset would tell what that one says."""
        found = derive.discrepancies([s for s in self._standings if s.fact.dataset in told], TITLES)
        if not {"household_member", "marriage"} <= set(told):
            return found
        for row in contradicts(self.marital, self._register):
            said = code_title("marital", str(row.text("marital_self_reported")))
            values = (("户籍自报", said), ("婚姻登记", MARITAL_TITLES[self.marital.status]))
            found.append(derive.Discrepancy("MARITAL_CONFLICT", "婚姻状况：户籍自报与婚姻登记不一致", (row,), values))
        return found


def _household(finder: FactFinder, row: Fact | None) -> list[Fact]:
    """Whom somebody lives with by the register; who died or left it lives with nobody."""
    if row is None or not row.text("household_no") or not derive.is_present(row):
        return []
    station = row.text("station_code")
    if station is None:
        return [row]
    rows = finder.joined("household", (station, str(row.text("household_no"))))
    home = derive.members(resolve(f for f in rows if f.county == row.county))
    own = row.version.handle
    return [row if f.version.handle == own else f for f in home]


def _member(fact: Fact, own: Fact | None) -> dict[str, Any]:
    """A grown-up of the household: others gave no consent, so their names are masked and no proof opens them."""
    name = str(fact.text("name"))
    relation, born = fact.text("relation_to_head"), fact.text("birth_date")
    return {
        "name": name if fact is own else mask("name", name),
        "relation": code_title("relation_to_head", relation) if relation else None,
        "born": born[:4] if born else None,
    }


def _marital(found: Marital, differs: Sequence[Fact]) -> dict[str, Any]:
    return {
        "status": found.status,
        "title": MARITAL_TITLES[found.status],
        "since": found.since,
        "as_of": found.as_of,
        "partner": mask("name", found.partner_name) if found.partner_name else None,
        "sure": found.sure and found.status is not Status.NO_RECORD,
        "register_differs": bool(differs),
    }


def _held(entities: Sequence[Fact]) -> str:
    return "、".join(sorted(str(f.text("name")) for f in entities)) or "已核查，无"


def _net(section: str, net: derive.Net) -> dict[str, Any]:
    return {
        "year": net.year,
        "kind": net.kind,
        "title": code_title("subsidy_type", net.kind) if section == "subsidy" else net.kind,
        "paid": f"{net.paid:.2f}",
        "payments": str(net.payments),
        "recovered": f"{net.recovered:.2f}",
        "pending": str(net.pending),
        "failed": str(net.failed),
    }
