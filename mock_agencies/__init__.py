"""Mock agencies: real servers on loopback over one synthetic world whose truth is known (see README.md).

with mock_agencies.start(households=60, dirt=0.3) as mocks:
requests go to mocks.urls["civil"]; mocks.truth("marriage") says what must come out
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from mock_agencies.agriculture import Agriculture
from mock_agencies.civil import Civil
from mock_agencies.clerks import Clerk
from mock_agencies.control import Control
from mock_agencies.counties import COUNTIES, PILOT
from mock_agencies.faults import Faults
from mock_agencies.natural_resources import NaturalResources
from mock_agencies.outlets import open_all
from mock_agencies.prefecture import Prefecture
from mock_agencies.provincial import Provincial
from mock_agencies.public_security import PublicSecurity
from mock_agencies.real_estate import RealEstate
from mock_agencies.server import Host
from mock_agencies.systems import REGISTERS, SYSTEMS, sources, wordings
from mock_agencies.vendors import Vendors
from mock_agencies.wording import Served
from mock_agencies.world import World

PORTS: Final = (
    *("control", "provincial", "real_estate", "civil", "agriculture", "natural_resources", "vendors"),
    "public_security",
)
"""The servers, in the order of their ports."""


@dataclass(frozen=True)
class Mocks:
    """Running servers."""

    world: World
    """The pilot's."""
    prefecture: Prefecture
    served: Mapping[str, Served]
    """County -> its world as its systems word it."""
    urls: Mapping[str, str]
    """Each of `PORTS` -> `http://127.0.0.1:<port>`."""
    provincial: Provincial
    civil: Civil
    agriculture: Agriculture
    vendors: Vendors
    public_security: PublicSecurity
    control: Control
    standing: Faults
    placed: Mapping[str, str]
    """`<county>/<source>` -> directory or database, for what has no server."""

    @property
    def sources(self) -> dict[str, str]:
        """`<county>/<system>` -> address, for all counties but the pilot."""
        return sources_of(self.served, self.urls) | dict(self.placed)

    @property
    def clerks(self) -> dict[str, Clerk]:
        """County -> who still hands in by hand there."""
        found = (outlet for outlet in self.prefecture.outlets if isinstance(outlet, Clerk))
        return {clerk.world.county.code: clerk for clerk in found}

    def advance(self, days: int = 1) -> dict[str, int]:
        """Lets days pass everywhere; dataset -> observations of the pilot new, changed or withdrawn."""
        return self.advance_all(days)[PILOT]

    def advance_all(self, days: int = 1) -> dict[str, dict[str, int]]:
        """Lets days pass; county -> dataset -> observations new, changed or withdrawn."""
        return self.prefecture.advance(days)

    def fault(self, agency: str, fault: str, *, times: int = 1, match: str = "") -> None:
        """Orders a fault for the next `times` matching calls (0: until cleared). Raises ValueError: no such thing."""
        self.control.fault(agency, fault, times=times, match=match)

    def clear_faults(self) -> None:
        self.standing.clear()

    def calls(self) -> dict[str, list[dict[str, str]]]:
        """Agency -> its last calls, oldest first."""
        return self.control.calls_of_all()

    def truth(self, dataset: str, county: str = PILOT) -> list[Mapping[str, Any]]:
        """One entry for every item served today, in source order."""
        return [item.truth() for item in self.served[county].items(dataset)]

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
def start(
    households: int = 200, seed: int = 1, dirt: float = 0.03, base_port: int = 0, *, others: int = 0
) -> Iterator[Mocks]:
    """Runs the servers in threads of this process; `base_port` 0 takes free ports.

    `households` are the pilot's, `others` those of each of the nine other counties; 0: the pilot is alone.

    Raises:
        OSError: a port is taken.
    """
    counts = {code: households if code == PILOT else others for code in COUNTIES}
    prefecture, standing = Prefecture({code: n for code, n in counts.items() if n}, seed, dirt), Faults()
    served = {code: Served(world, wordings(code)) for code, world in prefecture.worlds.items()}
    provincial, civil, agriculture = Provincial(served), Civil(served), Agriculture(served)
    vendors, public_security = Vendors(served, SYSTEMS), PublicSecurity(prefecture.worlds[PILOT])
    agencies = (
        *(provincial, RealEstate(served, REGISTERS), civil, agriculture),
        *(NaturalResources(served), vendors, public_security),
    )
    control = Control(prefecture, served, standing, agencies)
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="mock-agencies-")))
        prefecture.outlets, placed = open_all(prefecture.worlds, home)
        urls = {}
        for i, agency in enumerate((control, *agencies)):
            host = Host(agency, standing, base_port + i if base_port else 0)
            host.start()
            stack.callback(host.stop)
            urls[agency.name] = host.url
        world = prefecture.worlds[PILOT]
        systems = (provincial, civil, agriculture, vendors, public_security)
        yield Mocks(world, prefecture, served, urls, *systems, control, standing, placed)


def sources_of(counties: Iterable[str], urls: Mapping[str, str]) -> dict[str, str]:
    """`<county>/<system>` -> address, for all counties but the pilot, whose servers `urls` names."""
    return {
        f"{county}/{name}": url for county in counties if county != PILOT for name, url in sources(county, urls).items()
    }


__all__ = ["PORTS", "Mocks", "World", "start"]
