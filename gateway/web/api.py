"""`/healthz`, `/readyz`, `/api/v1/…`: status, runs, freshness, verdicts. The web process reads; it never runs a sync (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse

from gateway.app import Gateway
from gateway.audit import Action, Actor, NotAllowed
from gateway.errors import Usage
from gateway.freshness import tellable, verdicts
from gateway.status import feed_statuses, run_dict


def build(gateway: Gateway, worker_alive: Callable[[], bool]) -> FastAPI:
    """The application over one gateway. Errors are problem+json (RFC 9457)."""
    # FastAPI's own routes would pass no hook, and its documentation pages load scripts from outside
    app = FastAPI(title="数桥 Shuqiao", version="1", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.gateway = gateway
    app.state.worker_alive = worker_alive
    app.include_router(health)
    app.include_router(api)
    app.add_exception_handler(NotAllowed, _refused)
    app.add_exception_handler(Usage, _unknown)
    return app


def _refused(_request: Request, error: Exception) -> JSONResponse:
    return problem(403, "没有权限", str(error))


def _unknown(_request: Request, error: Exception) -> JSONResponse:
    return problem(404, "没有", str(error))


def problem(status: int, title: str, detail: str) -> JSONResponse:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


def gateway_of(request: Request) -> Gateway:
    found: Gateway = request.app.state.gateway
    return found


def permitted(action: Action) -> Callable[[Request], Gateway]:
    """A dependency that passes the one authorisation hook before the route runs."""

    def dependency(request: Request) -> Gateway:
        found = gateway_of(request)
        found.audit.permit(Actor.api("loopback"), action, request.url.path)
        return found

    dependency.action = action  # type: ignore[attr-defined] # read by the test that enumerates routes
    return dependency


Reader = Annotated[Gateway, Depends(permitted(Action.READ_STATUS))]

health = APIRouter()
api = APIRouter(prefix="/api/v1")


@health.get("/healthz", dependencies=[Depends(permitted(Action.READ_STATUS))])
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@health.get("/readyz", response_model=None)
def readyz(request: Request, gateway: Reader) -> JSONResponse:
    """The store answers and the worker lives; 503 names what does not."""
    missing = [] if request.app.state.worker_alive() else ["worker"]
    try:
        with gateway.store.read() as tx:
            tx.one("config_latest")
    except gateway.store.failures:
        missing.append("store")
    return JSONResponse({"ready": not missing, "missing": missing}, 503 if missing else 200)


@api.get("/openapi.json", include_in_schema=False, dependencies=[Depends(permitted(Action.READ_STATUS))])
def openapi(request: Request) -> dict[str, Any]:
    """What this API answers."""
    application: FastAPI = request.app
    return application.openapi()


@api.get("/status")
def status(gateway: Reader) -> list[dict[str, Any]]:
    """Every feed: counters, three clocks, state, owner, next action."""
    return [row.as_dict() for row in feed_statuses(gateway.store)]


@api.get("/runs")
def runs(gateway: Reader, feed: str = "", count: Annotated[int, Query(ge=1, le=1000)] = 20) -> list[dict[str, Any]]:
    """The latest runs, of one feed or of all."""
    with gateway.store.read() as tx:
        rows = tx.all("runs_of_feed", feed=feed, count=count) if feed else tx.all("runs_recent", count=count)
    return [run_dict(r) for r in rows]


@api.get("/freshness")
def freshness(gateway: Reader, county: str = "", dataset: str = "") -> list[dict[str, Any]]:
    """Every duty: the verdict on its period that needs most, the counts of all, the promise beside what is measured."""
    return [standing.as_dict() for standing in gateway.ledger.standings(county, dataset)]


@api.get("/freshness/{county}/{dataset}")
def explained(gateway: Reader, county: str, dataset: str) -> dict[str, Any]:
    """Why the verdict on one duty stands, in sentences, and its last periods."""
    return asdict(gateway.ledger.explain(county, dataset))


@api.get("/verdicts")
def told(gateway: Reader, *, everything: bool = False) -> list[dict[str, Any]]:
    """What needs somebody: code, sentence, owner, next action. With `everything`, also what stands well."""
    found = verdicts(gateway.store, gateway.clock, gateway.config, gateway.ledger.standings())
    return [verdict.as_dict() for verdict in (found if everything else tellable(found))]
