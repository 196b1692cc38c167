"""The bench's front-end table."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import TableAdapter, TableStream
from benchmarks.subject import DATASET, MAPPING


class BenchTable(TableAdapter):
    name = "bench_table"
    title = "基准前置库"
    streams: ClassVar[Mapping[str, TableStream]] = {
        DATASET.name: TableStream(
            table="BENCH",
            time="JHPT_UPDATE_TIME",
            time_format="%Y-%m-%d %H:%M:%S",
            source_time="gxsj",
            mapping=MAPPING,
        )
    }
