"""Mock agencies: real servers on loopback over one synthetic world whose truth is known (see README.md).

with mock_agencies.start(households=60, dirt=0.3) as mocks:
requests go to mocks.urls["civil"]; mocks.truth("marriage") says what must come out
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from mock_agencies.agriculture import Agriculture
from mock_agencies.civil import Civil
from mock_agencies.control import Control
from mock_agencies.faults import Faults
from mock_agencies.natural_resources import NaturalResources
from mock_agencies.provincial import Provincial
from mock_agencies.public_security import PublicSecurity
from mock_agencies.real_estate import RealEstate
from mock_agencies.server import Host
from mock_agencies.world import World

PORTS: Final = ("control", "provincial", "real_estate", "civil", "agriculture", "natural_resources", "public_security")
"""The servers, in the order of their ports."""


@dataclass(frozen=True)
class Mocks:
    """Running servers."""

    world: World
    urls: Mapping[str, str]
    """Each of `PORTS` -> `http://127.0.0.1:<port>`."""
    provincial: Provincial
    civil: Civil
    agriculture: Agriculture
    public_security: PublicSecurity
    control: Control
    standing: Faults

    def advance(self, days: int = 1) -> dict[str, int]:
        """Lets days pass; dataset -> observations new, changed or withdrawn."""
        return self.world.advance(days)

    def fault(self, agency: str, fault: str, *, times: int = 1, match: str = "") -> None:
        """Orders a fault for the next `times` matching calls (0: until cleared). Raises ValueError: no such thing."""
        self.control.fault(agency, fault, times=times, match=match)

    def clear_faults(self) -> None:
        self.standing.clear()

    def calls(self) -> dict[str, list[dict[str, str]]]:
        """Agency -> its last calls, oldest first."""
        return self.control.calls_of_all()

    def truth(self, dataset: str) -> list[Mapping[str, Any]]:
        """One entry for every item served today, in source order."""
        return [item.truth() for item in self.world.items(dataset)]

    def expire_secret(self) -> None:
        """The provincial secret's time is up."""
        self.provincial.expire()

    def expire_request_secret(self, *, refresh: bool = False) -> None:
        """The agriculture platform's request secret's time is up; `refresh`: that of its refresh secret too."""
        self.agriculture.expire(refresh=refresh)

    def forget_tokens(self) -> None:
        """The civil agency knows no token any more."""
        self.civil.forget_tokens()


@contextmanager
def start(households: int = 200, seed: int = 1, dirt: float = 0.03, base_port: int = 0) -> Iterator[Mocks]:
    """Runs the servers in threads of this process; `base_port` 0 takes free ports.

    Raises:
        OSError: a port is taken.
    """
    world, standing = World(households, seed, dirt), Faults()
    provincial, civil, agriculture = Provincial(world), Civil(world), Agriculture(world)
    public_security = PublicSecurity(world)
    agencies = (provincial, RealEstate(world), civil, agriculture, NaturalResources(world), public_security)
    control = Control(world, standing, agencies)
    with ExitStack() as stack:
        urls = {}
        for i, agency in enumerate((control, *agencies)):
            host = Host(agency, standing, base_port + i if base_port else 0)
            host.start()
            stack.callback(host.stop)
            urls[agency.name] = host.url
        yield Mocks(world, urls, provincial, civil, agriculture, public_security, control, standing)


__all__ = ["PORTS", "Mocks", "World", "start"]
