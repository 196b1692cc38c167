"""CSV as agencies write it: every encoding and separator comes back as it went in, and a wrong row stays one row."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.kit import Page, Ports, SourceMalformed, Translator
from adapters.kit.files.text import encoding_of, text_sheet
from adapters.kit.recording import run
from adapters.kit.values import charset
from schemas import DATASETS
from tests.adapters.conftest import TODAY
from tests.adapters.drops import HEADER, NAME, NOW, STREAM, Folder, as_csv, changed, id_number, ids, items, row, rows


@pytest.fixture
def drop(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def calm(build_ports: Callable[..., Ports]) -> Ports:
    return build_ports(now=lambda: NOW)


def read(drop: Folder, calm: Ports, content: str | bytes, **changes: Any) -> list[Page]:
    drop.put(content)
    return run(drop.adapter(calm, changed(**changes)), "payment", None, 99)[0]


def lines(body: bytes, encoding: str | None = None, separator: str = ",", quoted: bool = True) -> list[list[str]]:
    sheet = text_sheet(io.BytesIO(body), "f.csv", encoding=encoding, separator=separator, quoted=quoted)
    return [line.cells for line in sheet.lines]


HAN = st.sampled_from("王李张䶮㛃喆镕·（）亩元村")
TEXT = st.text(HAN | st.sampled_from("abcX0189 .-'\"\n"), max_size=12).map(lambda text: text.replace("\r", ""))
TABLES = st.integers(1, 5).flatmap(
    lambda width: st.lists(st.lists(TEXT, min_size=width, max_size=width), min_size=1, max_size=8)
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "|", "\t", ";"])
@given(table=TABLES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(table=[["王某", '引"号', "行\n行"]])
def test_a_table_comes_back_as_it_was_written(encoding: str, separator: str, table: list[list[str]]) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(table)
    declared = None if encoding.endswith(("sig", "16")) else encoding
    assert lines(out.getvalue().encode(encoding), declared, separator) == table


@given(
    table=st.lists(
        st.lists(st.text(HAN | st.sampled_from('abc0,|!"'), max_size=8), min_size=2, max_size=4), min_size=1, max_size=6
    )
)
def test_a_separator_of_several_characters(table: list[list[str]]) -> None:
    clean = [[cell.replace("|!|", "").strip("|!") for cell in cells] for cells in table]
    body = "\r\n".join("|!|".join(cells) for cells in clean)
    got = lines((body + "\r\n").encode("gb18030"), "gb18030", "|!|", quoted=False)
    assert got == clean


@given(st.text(HAN, min_size=1, max_size=60), st.sampled_from(["utf-8", "gb18030"]))
def test_the_encoding_is_found_where_nobody_declared_one(text: str, encoding: str) -> None:
    """Every character of these that GB18030 writes in two bytes is no UTF-8, and the other way round."""
    body = f"姓名,住址\n{text},{text}\n".encode(encoding)
    assert encoding_of(io.BytesIO(body), None) == encoding


@pytest.mark.parametrize(
    ("body", "declared", "found"),
    [
        (codecs.BOM_UTF8 + "姓名".encode(), "gbk", "utf-8-sig"),
        ("姓名".encode("utf-16"), "gbk", "utf-16"),
        ("姓名".encode("gb18030"), "utf-8", "gb18030"),
        ("姓名".encode(), "gbk", "gb18030"),
        ("姓名的".encode(), "gbk", "utf-8"),
        ("䶮".encode("gb18030"), "gb2312", "gb18030"),
        (b"plain", None, "utf-8"),
        (b"", None, "utf-8"),
    ],
)
def test_bom_then_declared_then_utf8_then_gb18030(body: bytes, declared: str | None, found: str) -> None:
    assert encoding_of(io.BytesIO(body), declared) == found


@pytest.mark.parametrize("name", ["GBK", "gb2312", "936", "cp936", "GB18030"])
def test_chinese_encodings_are_read_as_the_largest_of_them(name: str) -> None:
    assert charset(name) == "gb18030"
    assert lines("\xb7".encode("gb18030"), name) == [["·"]]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_byte_that_is_not_of_the_encoding_costs_its_row_and_no_other(
    drop: Folder, calm: Ports, encoding: str
) -> None:
    body = as_csv([HEADER, *rows(30)]).encode(encoding)
    at = body.index("王".encode(encoding), len(body) // 2)
    pages = read(drop, calm, body[:at] + b"\xff" + body[at + 1 :], encoding=None)
    wrong = [i for i, item in enumerate(items(pages)) if "@fault" in item]
    assert [items(pages)[i]["@fault"] for i in wrong] == ["ROW_ENCODING"]
    assert len(items(pages)) == 30
    t = Translator(DATASETS["payment"], STREAM.mapping, ignore=STREAM.ignore, today=TODAY).translate(items(pages))
    assert (len(t.records), [r.reason for r in t.rejected]) == (29, ["ROW_ENCODING"])


def test_a_title_and_a_blank_line_above_the_header(drop: Folder, calm: Ports) -> None:
    pages = read(drop, calm, "丰城市2026年补贴清册\r\n\r\n" + as_csv([HEADER, row(1)]))
    assert ids(pages) == ["YKT000001"]
    assert pages[0].places == [f"{NAME} › 4"]


def test_columns_may_be_declared_where_there_is_no_header(drop: Folder, calm: Ports) -> None:
    assert ids(read(drop, calm, as_csv(rows(3)), columns=HEADER)) == ["YKT000001", "YKT000002", "YKT000003"]


def test_columns_are_found_by_name_wherever_they_stand(drop: Folder, calm: Ports) -> None:
    order = [3, 0, 6, 1, 5, 2, 4]
    table = [[cells[i] for i in order] for cells in (HEADER, *rows(2))]
    table[0] = [f" {name[0]} {name[1:]}*" for name in table[0]]
    assert [item["身份证号"] for item in items(read(drop, calm, as_csv(table)))] == [id_number(1), id_number(2)]


@pytest.mark.parametrize(
    "line",
    ["合计,,,,,,3.00", "合 计：3 户", "备注：公示七天", "填表人：某某，制表日期：2026-03-01,,,,,", ",,总计,,,,1"],
)
def test_totals_and_notes_are_ignored_by_name(drop: Folder, calm: Ports, line: str) -> None:
    pages = read(drop, calm, as_csv([HEADER, *rows(2)]) + line + "\r\n")
    t = Translator(DATASETS["payment"], STREAM.mapping, ignore=STREAM.ignore, today=TODAY).translate(items(pages))
    assert (len(t.records), [len(v) for v in t.ignored.values()], t.rejected) == (2, [1], [])


@pytest.mark.parametrize(
    ("line", "fault", "reason", "field"),
    [
        (",".join(row(9)[:5]), "ROW_SHORT:身份证号", "ROW_SHORT", "payee_id_no"),
        (",".join(row(9)) + ",多余", "ROW_LONG", "ROW_LONG", None),
        ('YKT1,"2026"年,x,y,z,u,v', "ROW_QUOTES", "ROW_QUOTES", None),
    ],
)
def test_a_ragged_row_goes_to_quarantine_with_its_row_and_column(
    drop: Folder, calm: Ports, line: str, fault: str, reason: str, field: str | None
) -> None:
    (page,) = read(drop, calm, as_csv([HEADER, row(1)]) + line + "\r\n" + as_csv([row(2)]))
    found = page.rows.decode()
    assert [item.get("@fault") for item in found] == [None, fault, None]
    assert page.places[1] == f"{NAME} › 3"
    t = Translator(DATASETS["payment"], STREAM.mapping, ignore=STREAM.ignore, today=TODAY).translate(found)
    assert ([r["detail_id"] for r in t.records], t.rejected[0].reason, t.rejected[0].field) == (
        ["YKT000001", "YKT000002"],
        reason,
        field,
    )


def test_blank_cells_too_many_are_no_fault(drop: Folder, calm: Ports) -> None:
    pages = read(drop, calm, as_csv([[*HEADER, ""], [*row(1), "", "", ""]]))
    assert "@fault" not in items(pages)[0]


def test_a_field_of_several_lines_and_the_numbers_after_it(drop: Folder, calm: Ports) -> None:
    (page,) = read(drop, calm, as_csv([HEADER]) + 'Y1,2026,"稻谷\r\n补贴",发放成功,王某,x,1\r\n' + as_csv([row(2)]))
    assert page.rows.decode()[0]["项目名称"] == "稻谷\r\n补贴"
    assert list(page.places) == [f"{NAME} › 2", f"{NAME} › 4"]


def refused(drop: Folder, calm: Ports, content: str | bytes, **changes: Any) -> SourceMalformed:
    with pytest.raises(SourceMalformed) as caught:
        read(drop, calm, content, **changes)
    return caught.value


def test_a_quote_that_is_never_closed_does_not_swallow_the_rest(drop: Folder, calm: Ports) -> None:
    error = refused(drop, calm, as_csv([HEADER, row(1)]) + '"Y2,2026\r\n' + as_csv(rows(5)))
    assert (error.code, error.facts["row"]) == ("QUOTES", 3)


def test_a_line_without_end_is_refused(drop: Folder, calm: Ports) -> None:
    assert refused(drop, calm, as_csv([HEADER]) + "x" * (2 << 20)).code == "LINE_TOO_LONG"


def test_a_missing_column_is_named_and_cells_are_not(drop: Folder, calm: Ports) -> None:
    table = as_csv([[name for name in cells if name != "身份证号"] for cells in [HEADER]]) + as_csv([row(1)])
    error = refused(drop, calm, table)
    assert error.code == "SCHEMA_DRIFT"
    assert "缺少列：身份证号" in str(error)
    assert "王某" not in f"{error} {error.facts}"
    assert error.evidence
    assert "王某" in error.evidence.decode()


def test_a_column_that_is_there_twice_is_refused(drop: Folder, calm: Ports) -> None:
    error = refused(drop, calm, as_csv([[*HEADER, "姓名"], [*row(1), "李某"]]))
    assert "列名重复：姓名" in str(error)


def test_another_column_twice_and_one_without_a_name_lose_nothing(drop: Folder, calm: Ports) -> None:
    (item,) = items(read(drop, calm, as_csv([[*HEADER, "备注", "备注", ""], [*row(1), "甲", "乙", "丙"]])))
    assert {k: v for k, v in item.items() if k not in HEADER} == {"备注": "甲", "备注#9": "乙", "#10": "丙"}


def test_a_column_without_a_name_says_nothing_while_it_is_blank(drop: Folder, calm: Ports) -> None:
    (item,) = items(read(drop, calm, as_csv([[*HEADER, ""], [*row(1), ""]])))
    assert item.keys() == set(HEADER)


def test_a_county_that_names_its_columns_otherwise(drop: Folder, calm: Ports) -> None:
    names = [{"身份证号": "公民身份号码"}.get(name, name) for name in HEADER if name != "项目名称"]
    drop.put(as_csv([names, [cell for i, cell in enumerate(row(1)) if i != 2]]))
    adapter = drop.adapter(calm, renamed={"身份证号": "公民身份号码"}, absent=["项目名称"])
    (item,) = items(run(adapter, "payment", None, 9)[0])
    assert item["身份证号"] == id_number(1)
    with pytest.raises(SourceMalformed, match="缺少列：身份证号、项目名称"):
        run(drop.adapter(calm), "payment", None, 9)


def test_a_row_that_repeats_the_header_and_one_that_counts_columns_are_layout(drop: Folder, calm: Ports) -> None:
    table = [HEADER, [str(n) for n in range(1, 8)], row(1), HEADER, row(2)]
    assert ids(read(drop, calm, as_csv(table))) == ["YKT000001", "YKT000002"]


def test_a_header_of_two_rows(drop: Folder, calm: Ports) -> None:
    upper = ["明细编号", "年度", "补贴", "", "农户", "", "金额"]
    lower = ["", "", "项目名称", "状态", "姓名", "身份证号", ""]
    for header in ("leaf", "path"):
        mapping = (
            STREAM.mapping
            if header == "leaf"
            else {
                **STREAM.mapping,
                "payee_name": "农户/姓名",
                "payee_id_no": "农户/身份证号",
                "item_name": "补贴/项目名称",
                "status": "补贴/状态",
            }
        )
        (item,) = items(read(drop, calm, as_csv([upper, lower, row(1)]), header_rows=2, header=header, mapping=mapping))
        assert item["姓名" if header == "leaf" else "农户/姓名"] == "王某"


@given(st.lists(st.lists(TEXT.filter(lambda t: '"' not in t), min_size=7, max_size=7), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_equal_rows_are_equal_bytes_in_any_file(tmp_path_factory: Any, table: list[list[str]]) -> None:
    from tests.adapters.conftest import make_ports

    drop = Folder(tmp_path_factory.mktemp("drop"))
    ports = make_ports(now=lambda: NOW)
    for name, above in ((NAME, "标题\r\n"), (NAME.replace("001", "002"), "")):
        out = io.StringIO()
        csv.writer(out).writerows([HEADER, *table])
        drop.put(above + out.getvalue(), name)
    pages, _ = run(drop.adapter(ports), "payment", None, 9)
    assert list(pages[0].rows.raw) == list(pages[1].rows.raw)
    assert pages[0].places != pages[1].places or not pages[0].rows.raw


def test_what_stands_in_the_evidence_is_what_was_served(drop: Folder, calm: Ports) -> None:
    (page,) = read(drop, calm, as_csv([HEADER, *rows(2)]))
    assert page.answer.body == b"\n".join(page.rows.raw)
    assert (page.answer.request, page.answer.status) == (f"FILE {STREAM.pattern}", 0)
