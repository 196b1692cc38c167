"""The bench server over SOAP."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import PageNumber, Since, SoapAdapter, SoapStream
from benchmarks.subject import DATASET, MAPPING


class BenchSoap(SoapAdapter):
    name = "bench_soap"
    title = "基准 SOAP"
    streams: ClassVar[Mapping[str, SoapStream]] = {
        DATASET.name: SoapStream(
            operation="QueryHomesteads",
            row="record",
            paging=PageNumber("pageNo", "pageSize", limit=500),
            since=Since("updatedSince", format="%Y-%m-%dT%H:%M:%S"),
            source_time="gxsj",
            mapping=MAPPING,
        )
    }
