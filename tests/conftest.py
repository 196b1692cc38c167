"""Fixtures for every suite: stores on both databases, and gateways over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.store import Store, upgrade
from gateway.store.tables import metadata
from tests.support import postgres
from tests.support.suite import SUITE

LONG = ("web", "promises", "chain", "kills", "dispatch")
"""Folders whose files take longest."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that the processes that share the tests end together."""
    items.sort(key=lambda item: LONG.index(folder) if (folder := item.path.parent.name) in LONG else len(LONG))


@pytest.fixture(scope="session", autouse=True)
def suite_of_the_run() -> Iterator[None]:
    """The repository's gateway.yaml reads the suite from here."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SHUQIAO_SUITE", SUITE.name)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """One PostgreSQL for the session; skipped with its reason where it cannot run, failed in CI."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def blank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store without a table; every test that takes it runs on both databases."""
    if request.param == "sqlite":
        made = Store.at(tmp_path / "store.db")
    else:
        made = Store.open(request.getfixturevalue("postgres_url"))
        with made.engine.begin() as connection:
            connection.execute(text(postgres.EMPTIED))
    yield made
    made.close()


@pytest.fixture
def store(blank: Store) -> Store:
    """An empty, migrated store, on both databases."""
    upgrade(blank)
    return blank


@pytest.fixture
def tables() -> list[str]:
    return list(metadata.tables)
