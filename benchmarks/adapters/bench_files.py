"""The bench's drop."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import FilesAdapter, FilesStream
from benchmarks.subject import DATASET, MAPPING


class BenchFiles(FilesAdapter):
    name = "bench_files"
    title = "基准文件"
    streams: ClassVar[Mapping[str, FilesStream]] = {
        DATASET.name: FilesStream(
            pattern="{county}_BENCH_{date}_{seq}.{ext}",
            flag="md5",
            encoding="gb18030",
            source_time="gxsj",
            mapping=MAPPING,
        )
    }
