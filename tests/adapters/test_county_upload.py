"""Every dataset as a spreadsheet under the Chinese titles of the field table."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from adapters.county_upload import CountyUpload
from adapters.kit import Http, JsonRows, Ports, SourceMalformed, Translator
from adapters.kit.recording import FreeBudget, ReplaySecrets
from gateway.templates import template
from schemas import DATASETS
from tests.support.sheets import filled, records, typed, workbook


@pytest.fixture
def adapter() -> CountyUpload:
    ports = Ports(Http(), ReplaySecrets(), FreeBudget(), now=lambda: None, today=lambda: date(2026, 3, 2))  # type: ignore[arg-type, return-value]
    return CountyUpload(ports, CountyUpload.Settings(), "360981")


def translator(dataset: str) -> Translator:
    stream = CountyUpload.streams[dataset]
    return Translator(DATASETS[dataset], stream.mapping, ignore=stream.ignore, today=date(2026, 3, 2))


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_record_typed_under_its_headings_is_the_record(adapter: CountyUpload, dataset: str) -> None:
    true = records(dataset, 12)
    items, places = adapter.read(dataset, filled(dataset, true))
    t = translator(dataset).translate(JsonRows(items).decode())
    assert t.rejected == []
    assert t.records == true
    assert places[0] == f"上传文件 › {DATASETS[dataset].title} › 2"


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_template_is_a_sheet_that_is_understood(adapter: CountyUpload, dataset: str) -> None:
    body = template(DATASETS[dataset], CountyUpload.streams[dataset])
    sheet, notes = load_workbook(BytesIO(body)).worksheets
    head = [str(cell.value).strip("*") for cell in sheet[1]]
    assert head == list(typed(dataset, records(dataset, 1)[0]))
    told = {row[0]: row for row in notes.iter_rows(min_row=2, values_only=True)}
    assert list(told) == head
    assert [h for h in head if told[h][1]] == [h for h in head if h in CountyUpload.streams[dataset].required]
    sheet.append(list(typed(dataset, records(dataset, 1)[0]).values()))
    out = BytesIO()
    sheet.parent.save(out)
    items, _ = adapter.read(dataset, out.getvalue())
    assert translator(dataset).translate(JsonRows(items).decode()).records == records(dataset, 1)


def test_the_usual_other_headings_are_understood(adapter: CountyUpload) -> None:
    (record,) = records("assistance", 1)
    row = typed("assistance", record)
    other = {"身份证号": "身份证号码", "姓名": "户主姓名", "救助证号": "低保证号", "月保障金额": "保障金额"}
    body = workbook(("清册", [["丰城市低保清册"], [other.get(h, h) for h in row], list(row.values()), ["合计", "1"]]))
    items, _ = adapter.read("assistance", body)
    t = translator("assistance").translate(JsonRows(items).decode())
    assert (t.records, t.ignored) == ([record], {"TOTAL_ROW": [1]})


def test_a_heading_that_is_there_by_its_own_name_outranks_its_synonym(adapter: CountyUpload) -> None:
    (record,) = records("payment", 1)
    row = {**typed("payment", record), "领款人": "别人"}
    items, _ = adapter.read("payment", workbook(("清册", [list(row), list(row.values())])))
    t = translator("payment").translate(JsonRows(items).decode())
    assert t.records == [record]


def test_a_sheet_without_a_required_heading_is_another_table(adapter: CountyUpload) -> None:
    row = typed("assistance", records("assistance", 1)[0])
    del row["救助证号"]
    with pytest.raises(SourceMalformed, match="救助证号"):
        adapter.read("assistance", workbook(("清册", [list(row), list(row.values())])))
