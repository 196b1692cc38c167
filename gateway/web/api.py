"""`/healthz`, `/readyz`, `/metrics`, `/api/v1/…`: status, runs, freshness, verdicts, uploads; and the door for what is pushed. The web process
never runs a sync (DESIGN §7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, UploadFile
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from adapters.kit import UploadAdapter
from gateway.app import Gateway
from gateway.audit import Action
from gateway.board import Metrics, overview
from gateway.freshness import tellable, verdicts
from gateway.status import feed_statuses, recent_runs
from gateway.web.alerts import alerts
from gateway.web.bank import bank
from gateway.web.bulletin import bulletin
from gateway.web.common import Reader, Seat, permitted
from gateway.web.config import config
from gateway.web.corrections import corrections
from gateway.web.cutover import cutover
from gateway.web.discover import discover
from gateway.web.drift import drift
from gateway.web.guard import Guard
from gateway.web.pages import pages
from gateway.web.pages.frame import Speaking
from gateway.web.push import door
from gateway.web.quarantine import quarantine
from gateway.web.refusals import REFUSALS
from gateway.web.replays import replays
from gateway.web.resources import resources


def build(gateway: Gateway, worker_alive: Callable[[], bool]) -> FastAPI:
    """The application over one gateway. Errors are problem+json (RFC 9457)."""
    # FastAPI's own routes would pass no hook, and its documentation pages load scripts from outside
    app = FastAPI(title="数桥 Shuqiao", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.gateway = gateway
    app.state.worker_alive = worker_alive
    app.include_router(health)
    app.include_router(api)
    app.include_router(alerts)
    app.include_router(quarantine)
    app.include_router(bulletin)
    app.include_router(replays)
    app.include_router(cutover)
    app.include_router(drift)
    app.include_router(discover)
    app.include_router(bank)
    app.include_router(corrections)
    app.include_router(resources)
    app.include_router(config)
    app.include_router(door)
    app.include_router(pages)
    app.add_middleware(Guard, gateway=gateway)
    app.add_middleware(Speaking, default=gateway.settings.lang)
    for kind, handler in REFUSALS.items():
        app.add_exception_handler(kind, handler)
    return app


Anybody = Annotated[Seat, Depends(permitted(Action.OPEN))]

health = APIRouter()
api = APIRouter(prefix="/api/v1")


@health.get("/healthz", dependencies=[Depends(permitted(Action.OPEN))])
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@health.get("/readyz", response_model=None)
def readyz(request: Request, seat: Anybody) -> JSONResponse:
    """The store answers and the worker lives; 503 names what does not."""
    missing = [] if request.app.state.worker_alive() else ["worker"]
    try:
        with seat.gateway.store.read() as tx:
            tx.one("config_latest")
    except seat.gateway.store.failures:
        missing.append("store")
    return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)


@health.get("/metrics", response_class=Response)
def metrics(seat: Reader) -> Response:
    """Figures for Prometheus of what the reader may see; it comes with an API key."""
    gateway = seat.gateway
    text = Metrics(gateway.store, gateway.clock, gateway.config, gateway.ledger, seat.scope).text()
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@api.get("/openapi.json", include_in_schema=False, dependencies=[Depends(permitted(Action.READ_STATUS))])
def openapi(request: Request) -> dict[str, Any]:
    """What this API answers."""
    application: FastAPI = request.app
    return application.openapi()


@api.get("/status")
def status(seat: Reader) -> list[dict[str, Any]]:
    """Every feed: counters, three clocks, state, owner, next action."""
    return [row.as_dict() for row in feed_statuses(seat.gateway.store, seat.scope)]


@api.get("/overview")
def at_a_glance(seat: Reader, since: str = "") -> dict[str, Any]:
    """Every duty, whose move it is, what today brought; `since` (ISO): what is new after it, absent: since midnight."""
    gateway = seat.gateway
    found = overview(gateway.store, gateway.clock, gateway.config, gateway.ledger, seat.scope, since)
    return found.as_dict()


@api.get("/runs")
def runs(seat: Reader, feed: str = "", count: Annotated[int, Query(ge=1, le=1000)] = 20) -> list[dict[str, Any]]:
    """The latest runs, of one feed or of all."""
    return recent_runs(seat.gateway.store, seat.scope, feed, count)


@api.get("/freshness")
def freshness(seat: Reader, county: str = "", dataset: str = "") -> list[dict[str, Any]]:
    """Every duty: the verdict on its period that needs most, the counts of all, the promise beside what is measured."""
    return [standing.as_dict() for standing in seat.gateway.ledger.standings(seat.scope, county, dataset)]


@api.get("/freshness/{county}/{dataset}")
def explained(seat: Reader, county: str, dataset: str) -> dict[str, Any]:
    """Why the verdict on one duty stands, in sentences, and its last periods."""
    return asdict(seat.gateway.ledger.explain(county, dataset))


@api.get("/verdicts")
def told(seat: Reader, *, everything: bool = False) -> list[dict[str, Any]]:
    """What needs somebody: code, sentence, owner, next action. With `everything`, also what stands well."""
    gateway, scope = seat.gateway, seat.scope
    found = verdicts(gateway.store, gateway.clock, gateway.config, gateway.ledger.standings(scope), scope)
    return [verdict.as_dict() for verdict in (found if everything else tellable(found))]


@api.post("/feeds/{county}/{feed}/uploads")
def upload(
    county: str, feed: str, seat: Annotated[Seat, Depends(permitted(Action.UPLOAD))], file: UploadFile
) -> dict[str, Any]:
    """Takes a spreadsheet in: what was accepted, repaired and held back, with sheet, row and heading. Its name is not looked at."""
    work = seat.gateway.prepare(f"{county}/{feed}")
    limit = work.adapter.settings.max_mb << 20 if isinstance(work.adapter, UploadAdapter) else 0
    handed = seat.gateway.uploads.hand_in(work, file.file.read(limit + 1))
    seat.record(Action.UPLOAD, work.name, handed.figures)
    return handed.as_dict()


@api.get("/worklists")
def worklists(seat: Reader) -> dict[str, dict[str, Any]]:
    """How far each feed is that asks about named persons: how many are known, asked, due, and how many nobody knew."""
    return {feed: asdict(progress) for feed, progress in seat.gateway.worklists(seat.scope).items()}


@api.get("/inboxes")
def inboxes(seat: Reader) -> list[dict[str, Any]]:
    """What was pushed: taken, waiting, repeated, refused by reason."""
    return seat.gateway.inboxes.figures(seat.scope)
