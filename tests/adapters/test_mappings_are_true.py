"""Each mapping reads the rows of its mock agency as they are true: no server, no gateway, one row at a time."""

from __future__ import annotations

import pytest

from adapters.kit import Translator, registry
from mock_agencies.world import World
from schemas import DATASETS

STREAMS = [
    (name, dataset)
    for name in ("provincial_exchange", "civil_affairs", "agriculture", "natural_resources", "public_security")
    for dataset in registry.find(name).streams
]


@pytest.fixture(scope="module")
def world() -> World:
    return World(300, seed=4, dirt=0.4)


@pytest.mark.parametrize(("adapter", "dataset"), STREAMS)
def test_a_mapping_reads_what_is_true(world: World, adapter: str, dataset: str) -> None:
    stream = registry.find(adapter).streams[dataset]
    translator = Translator(DATASETS[dataset], stream.mapping, source_time=stream.source_time, today=world.today)
    verdicts = set()
    for item in world.items("resident" if adapter == "public_security" else dataset):
        if item.ordinal:
            continue
        verdicts.add(item.verdict)
        read = translator.translate([item.raw])
        rejected = [(None, r.reason, r.field) for r in read.rejected]
        accepted = [(record, None, None) for record in read.records]
        assert [*accepted, *rejected] == [(item.canonical, item.reason, item.field)], item.dirt
        assert read.newest == item.updated.replace(" ", "T")
    assert verdicts == {"accept", "quarantine"}


def test_only_what_is_listed_in_full_is_a_snapshot() -> None:
    """Absence proves something there and nowhere else."""
    assert {d for name, d in STREAMS if registry.find(name).streams[d].snapshot} == {"assistance", "agri_entity"}
