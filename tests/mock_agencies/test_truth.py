"""The truth of the world and the cleaning of the schemas, each written without the other, agree on every row served."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache
from typing import Any

import pytest

from mock_agencies.items import Column, Item
from mock_agencies.world import COLUMNS, World
from schemas import DATASETS, Canonical
from schemas.cleaning import Cleaned, Cleaner, Options, cleaner

NEW = ("subsidy", "contracted_land", "agri_entity", "homestead_approval")
NO_IS_2 = {"1": "1", "2": "0"}
SAID: dict[str, dict[str, Any]] = {
    **{column: {"codes": NO_IS_2} for column in ("SFDJ", "SFJBNT", "SFQQQG", "SFGYR")},
    **{column: {"unit": "万元"} for column in ("CZE", "NXSE")},
}
"""What a mapping has to say of these columns besides where they go."""


@cache
def cleaner_of(dataset: str, column: Column, today: date) -> Cleaner:
    spec = DATASETS[dataset].fields[column.leaf]
    return cleaner(spec.kind, Options(code_list=spec.of.codes, today=today, **SAID.get(column.name, {})))


def reading(dataset: str, item: Item, today: date) -> tuple[Canonical | None, str | None, str | None]:
    """A row as the schemas read it: the record, or the reason and field of its rejection."""
    schema = DATASETS[dataset]
    record: Canonical = {part: [{} for _ in item.raw[within]] for part, within in parts(dataset).items()}
    faults: list[tuple[str, str]] = []

    def take(column: Column, cleaned: Cleaned) -> str | None:
        spec = schema.fields[column.leaf]
        if cleaned.problem:
            faults.append((cleaned.problem, column.leaf))
        elif cleaned.value is None and spec.of.required:
            lone = schema.record_key == ((column.leaf,),)
            faults.append(("KEY_MISSING" if lone else "MISSING", column.leaf))
        return cleaned.value

    for column in COLUMNS[dataset]:
        clean = cleaner_of(dataset, column, today)
        if not column.within:
            record[column.path] = take(column, clean(item.raw[column.name]))
            continue
        part, name = column.path.split(".")
        for element, row in zip(record[part], item.raw[column.within], strict=True):
            element[name] = take(column, clean(row[column.name]))
    if faults:
        ((reason, field),) = faults
        return None, reason, field
    return (record, None, None) if schema.key_fields(record) else (None, "KEY_MISSING", None)


def parts(dataset: str) -> dict[str, str]:
    return {c.path.partition(".")[0]: c.within for c in COLUMNS[dataset] if c.within}


@pytest.mark.parametrize("dataset", NEW)
@pytest.mark.parametrize("seed", range(1, 6))
def test_every_row_reads_as_it_is_true(dataset: str, seed: int) -> None:
    world = World(300, seed=seed, dirt=0.4)
    met: Counter[str] = Counter()
    for _ in range(3):
        for item in world.items(dataset):
            met[item.verdict] += 1
            if item.ordinal:
                continue
            assert reading(dataset, item, world.today) == (item.canonical, item.reason, item.field), item.dirt
        world.advance(15)
    assert min(met[verdict] for verdict in ("accept", "quarantine", "duplicate")) > 0


@pytest.mark.parametrize("dataset", NEW)
def test_nothing_true_is_flagged_in_a_clean_world(dataset: str) -> None:
    world = World(300, seed=2, dirt=0)
    checks = DATASETS[dataset].checks
    assert [flag for item in world.items(dataset) for check in checks for flag in check(item.canonical)] == []


def test_areas_that_contradict_each_other_are_flagged() -> None:
    schema = DATASETS["contracted_land"]
    rows = [i for i in World(300, seed=5, dirt=0.9).items("contracted_land") if i.dirt == ["MU_CONTRADICTS"]]
    assert rows
    for item in rows:
        assert "AREA_CONTRADICTS" in {flag for check in schema.checks for flag in check(item.canonical)}
