"""The bench server over REST."""

from collections.abc import Mapping
from typing import ClassVar

from adapters.kit import Envelope, PageNumber, RestAdapter, RestStream, Since
from benchmarks.subject import DATASET, MAPPING


class BenchRest(RestAdapter):
    name = "bench_rest"
    title = "基准 REST"
    streams: ClassVar[Mapping[str, RestStream]] = {
        DATASET.name: RestStream(
            path="/rest/homesteads",
            envelope=Envelope(rows="data.records", total="data.total"),
            paging=PageNumber("page", "size", limit=500),
            since=Since("updated_since", format="%Y-%m-%dT%H:%M:%S"),
            source_time="gxsj",
            mapping=MAPPING,
        )
    }
