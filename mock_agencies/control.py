"""The control server: what the world is, what is true in it, what goes wrong."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mock_agencies import faults
from mock_agencies.counties import PILOT
from mock_agencies.faults import Fault, Faults
from mock_agencies.prefecture import Prefecture
from mock_agencies.server import Agency, Request, Response
from mock_agencies.wording import Served
from mock_agencies.world import DATASETS


class Control(Agency):
    """JSON in, JSON out; 400 names what is wrong with a request."""

    name = "control"

    def __init__(
        self, prefecture: Prefecture, served: Mapping[str, Served], standing: Faults, agencies: Sequence[Agency]
    ) -> None:
        super().__init__()
        self._prefecture, self._served, self._standing = prefecture, served, standing
        self._world = prefecture.worlds[PILOT]
        self._agencies = {agency.name: agency for agency in agencies}

    def service(self, request: Request) -> str:
        return request.path

    def answer(self, request: Request, twist: str | None) -> Response:
        try:
            body = self._do(request.method, request.path.rstrip("/"), request.body)
        except (KeyError, ValueError, TypeError) as error:
            return _json({"error": str(error)}, 400)
        return _json({"error": "not found"}, 404) if body is None else _json(body)

    def _do(self, method: str, path: str, body: bytes) -> dict[str, Any] | None:
        if (method, path) == ("GET", "/world"):
            return self._world.summary()
        if (method, path) == ("POST", "/advance"):
            changed = self._prefecture.advance(int(json.loads(body or b"{}").get("days", 1)))
            return {"today": self._world.today.isoformat(), "changed": changed[PILOT], "counties": changed}
        if method == "GET" and (truth := self._truth(path.removeprefix("/truth/"))) is not None:
            return {"items": truth}
        if (method, path) == ("POST", "/faults"):
            asked = json.loads(body)
            self.fault(asked["agency"], asked["fault"], times=int(asked.get("times", 1)), match=asked.get("match", ""))
            return {"ok": True}
        if (method, path) == ("DELETE", "/faults"):
            self._standing.clear()
            return {"ok": True}
        if (method, path) == ("GET", "/calls"):
            return self.calls_of_all()
        if (method, path) == ("DELETE", "/calls"):
            for agency in self._agencies.values():
                agency.calls.clear()
            return {"ok": True}
        return None

    def _truth(self, path: str) -> list[Mapping[str, Any]] | None:
        """Of `<dataset>`, the pilot's, or of `<county>/<dataset>`."""
        county, _, dataset = path.rpartition("/")
        served = self._served.get(county or PILOT)
        if served is None or dataset not in DATASETS:
            return None
        return [item.truth() for item in served.items(dataset)]

    def fault(self, agency: str, fault: str, *, times: int, match: str) -> None:
        """Orders a fault. Raises ValueError: no such agency or fault."""
        if agency not in self._agencies:
            raise ValueError(f"agency must be one of {', '.join(self._agencies)}")
        if fault not in faults.NAMES:
            raise ValueError(f"fault must be one of {', '.join(faults.NAMES)}")
        if times < 0:
            raise ValueError("times must not be negative")
        self._standing.add(Fault(agency, fault, times, match))

    def calls_of_all(self) -> dict[str, list[dict[str, str]]]:
        return {name: list(agency.calls) for name, agency in self._agencies.items()}


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False).encode(), status)
