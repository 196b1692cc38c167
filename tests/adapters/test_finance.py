"""Payments as files in each form, from a directory and by SFTP: every row comes out as it is true of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.finance import Finance
from adapters.kit import Translator
from adapters.kit.recording import run
from mock_agencies.drops import Drop
from mock_agencies.world import World
from schemas import DATASETS
from tests.adapters.conftest import make_ports
from tests.adapters.test_files_sftp import PASSWORD, Desk, desk
from tests.support.handed import FORMS

__all__ = ["desk"]
pytestmark = pytest.mark.sockets


def truth(world: World) -> Counter[tuple[Any, ...]]:
    """What must come of every row, the second of a pair left out: it is the page that tells it from the first."""
    items = [item for item in world.items("payment") if not item.ordinal]
    return Counter((*sorted((item.canonical or {}).items()), item.reason, item.field) for item in items)


def came(adapter: Finance, world: World) -> Counter[tuple[Any, ...]]:
    stream = adapter.stream("payment")
    translator = Translator(
        DATASETS["payment"], stream.mapping, source_time=stream.source_time, ignore=stream.ignore, today=world.today
    )
    out: Counter[tuple[Any, ...]] = Counter()
    pages, _ = run(adapter, "payment", None, 500)
    adapter.close()
    for page in pages:
        read = translator.translate(page.rows.decode())
        out.update((*sorted(record.items()), None, None) for record in read.records)
        out.update((rejected.reason, rejected.field) for rejected in read.rejected)
    return out


def pairs(world: World) -> int:
    return sum(item.ordinal for item in world.items("payment"))


@pytest.mark.parametrize("form", FORMS)
def test_every_row_of_a_directory_is_as_it_is_true(tmp_path: Path, form: str) -> None:
    world, (dialect, said) = World(150, seed=2, dirt=0.3), FORMS[form]
    Drop(world, tmp_path, dialect).publish()
    settings = Finance.Settings.model_validate({"directory": str(tmp_path), **said})
    got = came(Finance(make_ports(now=lambda: datetime.now(UTC)), settings, "360981"), world)
    assert truth(world) - got == Counter()
    assert (got - truth(world)).total() == pairs(world)


def test_every_row_of_a_server_is_as_it_is_true(desk: Desk) -> None:
    world, (dialect, said) = World(60, seed=3, dirt=0.2), FORMS["xlsx"]
    Drop(world, desk.folder.path, dialect).publish()
    where = {"directory": f"sftp://agency@127.0.0.1:{desk.port}/", "host_key": desk.host_key}
    ports = make_ports(secrets={"password": PASSWORD}, now=lambda: datetime.now(UTC))
    got = came(Finance(ports, Finance.Settings.model_validate({**where, **said}), "360981"), world)
    assert truth(world) - got == Counter()
    assert (got - truth(world)).total() == pairs(world)
