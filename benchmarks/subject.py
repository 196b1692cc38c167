"""What is measured: a bench-only dataset of 14 source fields and the four adapters that read it, through the real gateway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import adapters
from adapters.kit import FieldRule
from gateway.app import Gateway
from gateway.settings import Settings
from schemas import DATASETS
from schemas.fields import (
    C1,
    C2,
    Area,
    CertNo,
    Code,
    Count,
    Dataset,
    Date,
    Division,
    Ident,
    IdNo,
    Name,
    Of,
    Record,
    Text,
    UnitNo,
)

CASES = ("rest", "soap", "files", "table")


class BenchHomestead(Record):
    """The 14 fields of the floors."""

    record_no: Annotated[Ident, Of("编号", "content", C1, required=True)]
    unit_no: Annotated[UnitNo, Of("不动产单元号", "content", C2, required=True)]
    certificate_no: Annotated[CertNo, Of("证号", "content", C2, required=True)]
    holder_name: Annotated[Name, Of("权利人", "subject", C2, required=True)]
    id_type: Annotated[Ident | None, Of("证件类型", "subject", C1)]
    id_no: Annotated[IdNo, Of("证件号", "subject", C2, required=True)]
    area_m2: Annotated[Area, Of("面积", "content", C2, unit="m²", required=True)]
    location: Annotated[Text | None, Of("坐落", "content", C2)]
    division_code: Annotated[Division | None, Of("区划", "content", C1)]
    registered_on: Annotated[Date, Of("登记日期", "content", C1, required=True)]
    approved_on: Annotated[Date, Of("批准日期", "content", C1, required=True)]
    status: Annotated[Code, Of("状态", "content", C1, codes="right_status", required=True)]
    household_size: Annotated[Count, Of("人数", "content", C1, required=True)]
    updated_at: Annotated[Text | None, Of("更新时间", "content", C1)]


DATASET = Dataset(
    name="bench_homestead",
    title="基准",
    version=1,
    record=BenchHomestead,
    record_key=(("record_no",),),
    match_key=(("unit_no",),),
    subjects={"holder": "id_no"},
    indexes={"unit": ("unit_no",), "certificate": ("certificate_no",)},
    kind="state",
    period_by="as_of",
)
MAPPING: Mapping[str, FieldRule | str] = {
    "record_no": "zjdbh",
    "unit_no": "bdcdyh",
    "certificate_no": "bdcqzh",
    "holder_name": "qlrmc",
    "id_type": "zjlx",
    "id_no": "zjh",
    "area_m2": FieldRule(from_="zdmj", unit="m²"),
    "location": "fwzl",
    "division_code": "xzqdm",
    "registered_on": "djrq",
    "approved_on": "pzrq",
    "status": FieldRule(from_="zt", codes={"0": "0", "1": "1", "2": "2", "3": "3"}),
    "household_size": "jtrks",
    "updated_at": "gxsj",
}


CATALOGUE = """datasets:
  bench_homestead:
    title: 基准
    agency: 基准
    update_frequency: 每日
    sharing: {type: 无条件共享}
"""
COUNTY = """county: {{code: "360999", name: 基准县, bureau: 基准}}
sources:
  s: {{adapter: bench_{case}, account: a, {address}}}
feeds:
  homestead: {{source: s, dataset: bench_homestead, poll: 1d}}
"""


def gateway(case: str, at: str, out: Path) -> Gateway:
    """A gateway with production settings over the bench server at a port, or the places in a directory; in `out`."""
    DATASETS[DATASET.name] = DATASET
    adapters.__path__.append(str(Path(__file__).parent / "adapters"))
    config = out / "config"
    (config / "counties").mkdir(parents=True, exist_ok=True)
    address = {
        "rest": f'base_url: "http://127.0.0.1:{at}"',
        "soap": f'wsdl: "http://127.0.0.1:{at}/soap/homesteads?wsdl"',
        "files": f'directory: "{at}/drop", page_size: 500',
        "table": f'url: "sqlite:///{at}/front.db", page_size: 500',
    }[case]
    (config / "gateway.yaml").write_text("submitter: bench\n", "utf-8")
    (config / "catalogue.yaml").write_text(CATALOGUE, "utf-8")
    (config / "accounts.yaml").write_text("accounts: {a: {}}\n", "utf-8")
    (config / "counties" / "360999-bench.yaml").write_text(COUNTY.format(case=case, address=address), "utf-8")
    return Gateway(Settings(config=config, data=out / "data"))
