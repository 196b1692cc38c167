"""The vendors' own interfaces: one server in which a county's system is a line of a table (`systems.py`), not a program."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mock_agencies.auth_doors import Door, Fixed, Login, Sha1, Tif, Xclient, Zj
from mock_agencies.auth_standards import Basic, Digest
from mock_agencies.dialects import WRAPS, After, Pager, Slice, Wrap
from mock_agencies.items import Item
from mock_agencies.server import Agency, Request, Response, capped
from mock_agencies.wording import Served, Wording, pick, row_number

DOORS: Final[Mapping[str, type[Door]]] = {
    "tif": Tif,
    "zj": Zj,
    "xclient": Xclient,
    "sha1": Sha1,
    "login": Login,
    "fixed": Fixed,
    "basic": Basic,
    "digest": Digest,
}
"""Ways to let callers in, as the auth desk has them."""


@dataclass(frozen=True)
class Interface:
    """One dataset, as one system gives it."""

    path: str
    pager: Pager
    wrap: str
    """Which of `WRAPS`."""
    cap: int = 200
    """Rows of a page, silently; 0: none."""
    since: str = ""
    """The parameter that asks for what changed since; blank: there is none."""
    month: str = ""
    """The parameter that names a month, for lists in force."""
    day: str = ""
    """The parameter that names a day of submission, `YYYYMMDD`."""
    encoding: str = "utf-8"
    wording: Wording = field(default_factory=Wording)


@dataclass(frozen=True)
class System:
    """One system that a county bought: a door and what is behind it."""

    door: str
    """Which of `DOORS`."""
    keys: Mapping[str, str]
    """What was handed out for it."""
    interfaces: Mapping[str, Interface]
    """dataset -> how it is given."""
    allowed: tuple[str, ...] = ()
    """Addresses that may come near, if not all."""


class Vendors(Agency):
    """Every such system, at `/<county>/<system>/…`."""

    name = "vendors"

    def __init__(self, served: Mapping[str, Served], systems: Mapping[tuple[str, str], System]) -> None:
        super().__init__()
        self._served, self._systems = served, systems
        self._guard = threading.Lock()
        self.doors = {name: DOORS[system.door](system.door, system.keys) for name, system in systems.items()}
        """(county, system) -> its door."""

    def service(self, request: Request) -> str:
        return request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        county, name, path = [*request.path.split("/", 3)[1:], "", "", ""][:3]
        system = self._systems.get((county, name))
        if system is None or county not in self._served:
            return _text('{"code":"404","msg":"接口不存在"}', 404)
        found = next(((d, i) for d, i in system.interfaces.items() if i.path == f"/{path}"), None)
        wrap = WRAPS[found[1].wrap if found else "list"]
        if system.allowed and request.client not in system.allowed:
            return _text(wrap.refuse("403", f"请求IP[{request.client}]不在白名单中"))
        if (turned_away := self.doors[county, name].check(request)) is not None:
            return _in_words_of(wrap, turned_away) if found else turned_away
        if found is None:
            return _text(wrap.refuse("404", "接口不存在"))
        dataset, interface = found
        try:
            return self._page(self._served[county], dataset, interface, _asked(request), twist)
        except (KeyError, ValueError):
            return _text(wrap.refuse("400", "参数错误"))

    def _page(
        self, served: Served, dataset: str, interface: Interface, asked: Mapping[str, str], twist: str | None
    ) -> Response:
        """Raises KeyError, ValueError: a parameter is missing or is no number."""
        rows = self._rows(served, dataset, interface, asked, twist)
        start, size = interface.pager.slice(asked, rows)
        if isinstance(interface.pager, After):
            rows, start = rows[start:], 0  # its total is of what is left
        size = capped(size, interface.cap or size, twist)
        cut = self.cut(rows, start, size, twist, f"{served.county.code}/{dataset}")
        text = WRAPS[interface.wrap].write(Slice(cut.rows, cut.total, cut.errors, start, size))
        return _text(text, encoding=interface.encoding)

    @staticmethod
    def _rows(
        served: Served, dataset: str, interface: Interface, asked: Mapping[str, str], twist: str | None
    ) -> list[Item]:
        if interface.day:
            day = asked[interface.day]
            return served.submitted(f"{day[:4]}-{day[4:6]}-{day[6:]}")
        if interface.month:
            return served.assisted(asked[interface.month])
        rows = served.items(dataset, unannounced=twist == "dictionary")
        if interface.since:
            rows = pick(rows, asked.get(interface.since, ""))
        return sorted(rows, key=row_number) if interface.wording.number else rows


def _asked(request: Request) -> dict[str, str]:
    """From the query and from a JSON body."""
    body = json.loads(request.body) if request.body.startswith(b"{") else {}
    return request.query | {name: str(value) for name, value in body.items()}


def _in_words_of(wrap: Wrap, turned_away: Response) -> Response:
    """A refusal in the interface's own envelope, where the door speaks JSON with HTTP 200."""
    if turned_away.status != 200:
        return turned_away
    said: dict[str, Any] = json.loads(turned_away.body)
    return _text(wrap.refuse(str(said["code"]), said["msg"]))


def _text(text: str, status: int = 200, encoding: str = "utf-8") -> Response:
    charset = {"utf-8": "UTF-8", "gb18030": "GBK"}[encoding]
    return Response(text.encode(encoding), status, f"application/json;charset={charset}")
