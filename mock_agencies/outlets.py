"""What counties hand over without an interface: directories, databases and sheets that are filled again as the days pass."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from mock_agencies import drops, fronts
from mock_agencies.clerks import Clerk
from mock_agencies.drops import Drop
from mock_agencies.fronts import Front
from mock_agencies.world import World


class Outlet(Protocol):
    """Filled by whoever calls `publish`, which is to say after each day."""

    def publish(self) -> object: ...


def _drop(dialect: drops.Dialect) -> Callable[[World, Path], tuple[Outlet, str]]:
    def make(world: World, at: Path) -> tuple[Outlet, str]:
        at.mkdir()
        return Drop(world, at, dialect), str(at)

    return make


def _front(dataset: str, dialect: fronts.Dialect) -> Callable[[World, Path], tuple[Outlet, str]]:
    def make(world: World, at: Path) -> tuple[Outlet, str]:
        return Front.at(world, dataset, at.with_suffix(".db"), dialect), f"sqlite:///{at.with_suffix('.db')}"

    return make


def _clerk(dataset: str) -> Callable[[World, Path], tuple[Outlet, str]]:
    def make(world: World, at: Path) -> tuple[Outlet, str]:
        at.mkdir()
        return Clerk(world, dataset, at), str(at)

    return make


OUTLETS: Final[Mapping[tuple[str, str], Callable[[World, Path], tuple[Outlet, str]]]] = {
    ("360921", "manual"): _clerk("assistance"),
    ("360923", "land_front"): _front("contracted_land", fronts.Dialect()),
    ("360925", "finance"): _drop(drops.Dialect("xlsx", "ok")),
    ("360925", "civil_front"): _front("assistance", fronts.Dialect(refreshed=True)),
    ("360983", "finance"): _drop(drops.Dialect("csv", "md5", titles={"身份证号": "公民身份号码"})),
    ("360983", "manual"): _clerk("subsidy"),
}
"""(county, source) -> what makes it in a directory, and says where it is."""


def open_all(worlds: Mapping[str, World], home: Path) -> tuple[list[Outlet], dict[str, str]]:
    """The outlets of these counties, filled for the first time, and `<county>/<source>` -> address."""
    made, addresses = [], {}
    for (county, source), make in OUTLETS.items():
        if county in worlds:
            outlet, address = make(worlds[county], home / f"{county}-{source}")
            outlet.publish()
            made.append(outlet)
            addresses[f"{county}/{source}"] = address
    return made, addresses
