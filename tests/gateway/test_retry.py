"""What is tried again at once, and what is left for the next run."""

from __future__ import annotations

import pytest

from adapters.kit import SourceDenied, SourceError, SourceUnavailable
from gateway.retry import ATTEMPTS, LONGEST_WAIT, patiently


def unavailable(code: str, asked: float | None = None) -> SourceUnavailable:
    error = SourceUnavailable(code, "away")
    error.retry_after = asked
    return error


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (unavailable("NETWORK"), ATTEMPTS),
        (unavailable("SOURCE_5XX", 0.01), ATTEMPTS),
        (unavailable("THROTTLED", 0.01), ATTEMPTS),
        (unavailable("THROTTLED"), 1),
        (unavailable("THROTTLED", LONGEST_WAIT + 1), 1),
        (unavailable("BREAKER_OPEN", 3600), 1),
        (SourceDenied("AUTH_CONFIG", "no"), 1),
    ],
)
def test_a_wait_longer_than_ours_is_left_for_the_next_run(
    error: SourceError, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.retry._backoff", lambda _state: 0.0)
    made = []

    def action() -> None:
        made.append(1)
        raise error

    with pytest.raises(SourceError) as caught:
        patiently(action)
    assert caught.value is error
    assert len(made) == tries
