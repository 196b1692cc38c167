"""Any front-end database, described in a county's file: docs/declared-sources.md."""

from typing import ClassVar

from adapters.kit import (
    Datasets,
    DeclaredAdapter,
    DeclaredSettings,
    SourceSettings,
    TableAdapter,
    TableConnection,
    TableStream,
)


class TableSource(TableConnection, DeclaredSettings):
    datasets: Datasets[TableStream]


class Table(DeclaredAdapter, TableAdapter):
    name = "table"
    title = "前置库（县文件里写明）"
    Settings: ClassVar[type[SourceSettings]] = TableSource
    settings: TableSource
