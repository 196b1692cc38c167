"""An idle installation with the users of every role, for the suites about people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.people import credentials
from gateway.web import guard
from tests.support.house import House, house


@pytest.fixture(scope="module", autouse=True)
def cheap() -> Iterator[None]:
    """Argon2 as it is, in a kilobyte's time: what it costs is no promise of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(credentials, "COST", (1, 1, 8))
        yield


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Ten counties of which nothing is collected, and whose web process counts no requests."""
    with (
        pytest.MonkeyPatch.context() as patch,
        house(tmp_path_factory.mktemp("idle"), patch, households=10, others=10) as made,
    ):
        patch.setattr(guard, "LIMITS", dict.fromkeys(guard.LIMITS, 10**6))
        yield made
