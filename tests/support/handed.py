"""A house whose county hands over payments as files, and contracts and assistances as front-end tables, as other counties do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import mock_agencies
from gateway.app import Gateway
from mock_agencies import drops, fronts
from mock_agencies.drops import Drop
from mock_agencies.fronts import Front
from tests.support.house import COUNTY, House, install

DATASETS = ("payment", "contracted_land", "assistance")
FORMS: dict[str, tuple[drops.Dialect, dict[str, Any]]] = {
    "csv": (
        drops.Dialect("csv", "md5", titles={"身份证号": "公民身份号码"}),
        {"renamed": {"身份证号": "公民身份号码"}},
    ),
    "zip": (drops.Dialect("zip", "sm3", separator="|"), {"flag": "sm3", "separator": "|"}),
    "xls": (drops.Dialect("xls", "ok"), {"flag": "ok", "header_rows": 2}),
    "xlsx": (drops.Dialect("xlsx", "sm3"), {"flag": "sm3", "header_rows": 2}),
}
"""Form -> how the county delivers, and what its file says of it."""


@dataclass
class Handed:
    """The house, and what fills its drop and its databases."""

    made: House
    drop: Drop
    land: Front
    civil: Front

    def advance(self, days: int) -> None:
        """Lets days pass; nothing is handed over yet."""
        self.made.advance(days)

    def publish(self) -> None:
        for outlet in (self.drop, self.land, self.civil):
            outlet.publish()


def stanzas(county: str) -> dict[str, Any]:
    """The sources of a county's own file."""
    (file,) = (Path(__file__).parents[2] / "config" / "counties").glob(f"{county}-*.yaml")
    found: dict[str, Any] = YAML(typ="safe").load(file.read_text("utf-8"))["sources"]
    return found


@contextmanager
def handed_over(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    form: str = "csv",
    refreshed: bool = True,
    households: int = 120,
    seed: int = 1,
    dirt: float = 0.1,
    **said: Any,
) -> Iterator[Handed]:
    """Everything filled for the first time, nothing collected yet. `refreshed`: assistances come without a delete flag;
    `said`: what the county says of its drop besides.
    """
    dialect, own = FORMS[form]
    with mock_agencies.start(households=households, seed=seed, dirt=dirt) as agencies:
        settings, key = install(home, agencies, monkeypatch)
        (home / "drop").mkdir()
        drop = Drop(agencies.world, home / "drop", dialect)
        land = Front.at(agencies.world, "contracted_land", home / "land.db")
        civil = Front.at(agencies.world, "assistance", home / "civil.db", fronts.Dialect(refreshed=refreshed))
        account = "fengcheng-civil-affairs"
        sources = {
            "finance": {"adapter": "finance", "account": account, "directory": str(home / "drop"), "grace_minutes": 0},
            "land": stanzas("360923")["land_front"] | {"account": account, "url": f"sqlite:///{home / 'land.db'}"},
            "civil": stanzas("360925")["civil_front"] | {"account": account, "url": f"sqlite:///{home / 'civil.db'}"},
        }
        sources["finance"] |= own | said
        for name in ("land", "civil"):
            sources[name]["page_size"] = 30
        if not refreshed:
            stream = sources["civil"]["datasets"]["assistance"]
            del stream["snapshot"]
            stream |= {"time": "JHPT_UPDATE_TIME", "time_format": "%Y-%m-%d %H:%M:%S"}
            stream |= {"deleted": {"from": "JHPT_DELETE", "equals": ["1"]}}
        county = {
            "county": {"code": COUNTY, "name": "丰城市", "bureau": "丰城市数据局"},
            "sources": sources,
            "feeds": {
                "payment": {"source": "finance", "dataset": "payment", "poll": "1d"},
                "contracted_land": {"source": "land", "dataset": "contracted_land", "poll": "1d"},
                "assistance": {"source": "civil", "dataset": "assistance", "poll": "1d"},
            },
        }
        (file,) = (home / "config" / "counties").glob(f"{COUNTY}-*.yaml")
        with file.open("w", encoding="utf-8") as out:
            YAML().dump(county, out)
        made = House(home, agencies, Gateway(settings), key)
        made.set_clock()
        _ = made.gateway.config
        handed = Handed(made, drop, land, civil)
        handed.publish()
        try:
            yield handed
        finally:
            made.close()
