"""Whatever is sent to the API, it answers in words of its own: generated from its OpenAPI description, no 500 is found."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.web import build
from tests.people.test_reach import walked
from tests.support.house import House
from tests.support.web import key

EXAMPLES = 8
KNOWN = {"county": "360981", "feed": "marriage", "dataset": "marriage", "institution": "demo-bank"}
QUIET = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def application(idle: House) -> FastAPI:
    return build(idle.gateway, lambda: True)


@pytest.mark.parametrize("role", ["operator", "county:360981"])
def test_no_request_is_answered_with_a_fault_of_ours(application: FastAPI, role: str) -> None:
    """Half of the requests name a county, a feed and a dataset that there are, so that more than the first line runs."""
    bearer = {"Authorization": f"Bearer {key(application.state.gateway, role)}"}
    schema = schemathesis.openapi.from_dict(application.openapi())
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(), known=st.booleans())
        @QUIET
        def tried(case: Any, *, known: bool) -> None:
            nonlocal asked
            if known:
                case.path_parameters = {n: KNOWN.get(n, v) for n, v in (case.path_parameters or {}).items()}
            answer = case.call(app=application, headers=bearer)
            asked += 1
            assert answer.status_code < 500 or answer.status_code == 503, (case.method, case.formatted_path)
            if answer.status_code >= 400 and case.formatted_path.startswith("/api/"):
                assert answer.headers["content-type"] == ["application/problem+json"], case.formatted_path

        tried()
    described = set(application.openapi()["paths"])
    assert {r.path for r in walked(application) if r.path.startswith("/api/")} - described == {"/api/v1/openapi.json"}
    assert asked > 2 * len(described)
