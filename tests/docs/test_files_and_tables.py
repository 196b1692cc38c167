"""docs/files-and-tables.md is executed as written: both adapters over a drop and a table, their stanzas against their settings."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, TypeAdapter
from ruamel.yaml import YAML

from adapters.kit import Adapter, ChildTable, FilesSettings, FilesStream, TableSettings, TableStream, Translator
from adapters.kit.contract import checks
from adapters.kit.files.names import Names
from adapters.kit.recording import record, run
from schemas import DATASETS
from schemas.identifiers import id_checksum_holds
from tests.adapters.conftest import TODAY, make_ports

PAGE = (Path(__file__).parents[2] / "docs/files-and-tables.md").read_text("utf-8")
BODY = "36099919600101001"
NUMBER = next(BODY + check for check in "0123456789X" if id_checksum_holds(BODY + check))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def adapter_of(block: str, monkeypatch: pytest.MonkeyPatch) -> type[Adapter]:
    """The page's class, in a module of its name."""
    name = re.findall(r'name = "(\w+)"', block)[0]
    module = ModuleType(f"adapters.{name}")
    exec(compile(block, name, "exec"), vars(module))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (kind,) = (k for k in vars(module).values() if isinstance(k, type) and k.__module__ == module.__name__)
    assert issubclass(kind, Adapter)
    return kind


def translated(kind: type[Adapter], item: dict[str, Any]) -> Any:
    stream = kind.streams["payment"]
    translator = Translator(
        DATASETS["payment"], stream.mapping, source_time=stream.source_time, ignore=stream.ignore,
        deleted=stream.deleted, today=TODAY,
    )  # fmt: skip
    return translator.translate([item])


def test_the_file_drop_of_the_page_is_the_adapter_of_finance() -> None:
    assert blocks("python")[0] == (Path(__file__).parents[2] / "adapters/finance.py").read_text("utf-8")


def test_the_children_of_the_page_are_a_stream() -> None:
    (said,) = YAML(typ="safe").load(blocks("yaml")[1])["datasets"].values()
    stream = TypeAdapter(TableStream).validate_python(said)
    assert {name: child.one for name, child in stream.children.items()} == {"CBF": True, "CBDKXX": False}


def test_the_table_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = adapter_of(blocks("python")[1], monkeypatch)
    names = ("MXID", "ND", "BTXMMC", "FFZT", "XM", "SFZH", "SFJE", "GXSJ", "JHPT_UPDATE_TIME", "JHPT_DELETE")
    cells = ("M1", "2026", "稻谷补贴", "发放成功", "王某", NUMBER, "1.50", "2026-02-01", "2026-03-01 10:00:00", "1")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'front.db'}")
    columns = [sa.Column(name, sa.Text, primary_key=name == "MXID") for name in names]
    table = sa.Table("T_NYNC_BTFF", sa.MetaData(), *columns)
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(sa.insert(table), [dict(zip(names, cells, strict=True))])
    engine.dispose()
    settings = kind.Settings.model_validate({"url": f"sqlite:///{tmp_path / 'front.db'}"})
    ((page,), _) = run(kind(make_ports(), settings, "360981"), "payment", None, 9)
    assert translated(kind, page.rows.decode()[0]).deleted[0].key == {"detail_id": "M1"}
    for check in checks(kind, record(kind, make_ports(), settings, "360981")):
        check.run()


@pytest.mark.parametrize(("n", "settings"), [(0, FilesSettings), (2, TableSettings)])
def test_the_stanzas_of_the_page(n: int, settings: type[BaseModel]) -> None:
    for source in YAML().load(blocks("yaml")[n])["sources"].values():
        own = {key: value for key, value in source.items() if key not in {"adapter", "account"}}
        assert settings.model_validate(own)


@pytest.mark.parametrize(("stream", "settings"), [(FilesStream, FilesSettings), (TableStream, TableSettings)])
def test_every_declaration_and_every_key_is_on_a_page(stream: Any, settings: type[BaseModel]) -> None:
    pages = PAGE + (Path(__file__).parents[2] / "docs/configure-a-county.md").read_text("utf-8")
    children = ChildTable.__dataclass_fields__ if stream is TableStream else ()
    for name in [*stream.__dataclass_fields__, *children, *settings.model_fields]:
        assert f"`{name}`" in pages, name


def test_every_placeholder_is_on_the_page() -> None:
    for place in ("county", "date", "month", "seq", "ext"):
        assert f"`{{{place}}}`" in PAGE
        assert Names(f"x{{{place}}}", "none", "360981")
