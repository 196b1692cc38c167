"""Links by which agencies come to a page of their own, and the letters that bring them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex

from gateway.audit import Action, Actor
from gateway.board.letter import Letter
from gateway.clock import SHANGHAI, Clock
from gateway.config import Config
from gateway.errors import Usage
from gateway.freshness import Ledger
from gateway.people import Grant
from gateway.people.keys import Keys
from gateway.people.roles import Role, scope_of
from gateway.quarantine import Quarantine


def agencies_of(config: Config, county: str) -> list[str]:
    """Who owes something in a county, each once."""
    found = (entry.promise(dataset, county).agency for dataset, entry in config.catalogue.items())
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Invitation:
    """What was made: the name of the key behind the link (`api-key revoke` ends it), and the letter."""

    key: str
    letter: Letter


def invite(
    keys: Keys,
    config: Config,
    ledger: Ledger,
    quarantine: Quarantine,
    clock: Clock,
    *,
    county: str,
    agency: str,
    days: int,
    by: Actor,
) -> Invitation:
    """A link for one agency of one county, and the letter that brings it.

    Raises:
        Usage: nobody of this name owes anything there; the sentence names who does.
    """
    known = agencies_of(config, county) if county in config.counties else []
    if agency not in known:
        raise Usage(
            "{county} 没有报送部门 {agency}。可用的有：{known}",
            county=county,
            agency=agency,
            known="、".join(known) or "（无）",
        )
    grant = Grant(Role.SEAT, f"{county}/{agency}")
    name = f"seat-{county}-{token_hex(4)}"
    secret = keys.add(name, [grant], by, days)
    within = scope_of([grant], Action.READ_STATUS, config)
    until = (clock.real().astimezone(SHANGHAI) + timedelta(days=days)).date().isoformat()
    address = f"{config.gateway.web.address if config.gateway else ''}/seat/{secret}"
    standings = ledger.standings(within)
    return Invitation(name, Letter(agency, standings, quarantine.causes(within), address, until))
