"""What people are shown of a raw row whose columns hold rows of their own: masked by member, hidden where nobody maps it."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

from adapters.kit import FieldRule, JsonRows, Translator
from gateway.columns import seen
from gateway.preview import preview
from gateway.quarantine.terms import HIDDEN, column_kinds, masked
from schemas import DATASETS

RULES: dict[str, FieldRule | str] = {
    "contract_code": "CBHTBM",
    "contractor_type": "CBFLX",
    "contractor_name": "CBFMC",
    "plots.code": FieldRule(from_="DKBM", each="CBDKXX"),
    "plots.area_mu": FieldRule(from_="HTMJM", each="CBDKXX"),
    "plots.way": FieldRule(const="110"),
    "members.name": FieldRule(from_="CYXM", each="CBF_JTCY"),
    "members.id_no": FieldRule(from_="CYZJHM", each="CBF_JTCY"),
}
ITEM = {
    "CBHTBM": "360981102203010001J",
    "CBFLX": "1",
    "CBFMC": "张三丰",
    "LXDH": "13900000000",
    "CBDKXX": [{"DKBM": "3609811022030100001", "HTMJM": "1.80", "DKDZ": "李四田"}],
    "CBF_JTCY": [{"CYXM": "张三丰", "CYZJHM": "360999198001010016"}, {"CYXM": "李四", "CYZJHM": None}],
}


def translator() -> Translator:
    return Translator(DATASETS["contracted_land"], RULES, today=date(2026, 3, 2))


def test_a_held_item_shows_the_rows_inside_it_masked() -> None:
    shown = masked(ITEM, column_kinds(translator()))
    assert shown == {
        "CBHTBM": "360981102203*****1J",
        "CBFLX": "1",
        "CBFMC": "张**",
        "LXDH": HIDDEN,
        "CBDKXX.0.DKBM": "360981102203*****01",
        "CBDKXX.0.HTMJM": "1.80",
        "CBDKXX.0.DKDZ": HIDDEN,
        "CBF_JTCY.0.CYXM": "张**",
        "CBF_JTCY.0.CYZJHM": "3609**********0016",
        "CBF_JTCY.1.CYXM": "李*",
        "CBF_JTCY.1.CYZJHM": None,
    }


def test_what_is_no_list_of_rows_is_hidden_whole() -> None:
    shown = masked({**ITEM, "CBDKXX": ["张三丰"], "CBF_JTCY": "张三丰"}, column_kinds(translator()))
    assert (shown["CBDKXX"], shown["CBF_JTCY"]) == (HIDDEN, HIDDEN)


def test_a_preview_shows_the_rows_inside_a_row_masked() -> None:
    rows = JsonRows([json.dumps(ITEM, ensure_ascii=False).encode()])
    page = SimpleNamespace(rows=rows, answer=SimpleNamespace(request="GET /x"), declared=1, notes=())
    adapter = SimpleNamespace(fetch=lambda *_: page, close=lambda: None)
    feed: Any = SimpleNamespace(adapter=adapter, dataset=DATASETS["contracted_land"], translator=translator())
    shown = preview(feed, 5)
    held = {column.column: (column.filled, column.of, column.kind, column.share) for column in shown.columns}
    assert held["CBHTBM"][:2] == (1, 1)
    assert held["CBDKXX.HTMJM"] == (1, 1, "小数", 100)
    assert held["CBF_JTCY.CYZJHM"] == (1, 2, "身份证号码", 100)
    assert shown.capped == []
    (row,) = shown.rows
    filled = {field.field: (field.filled, field.of) for field in shown.fields}
    assert (filled["contract_code"], filled["members.name"], filled["signed_on"]) == ((1, 1), (1, 1), (0, 1))
    cells = {cell.field: (cell.column, cell.raw, cell.canonical) for cell in row.cells}
    assert cells["members.id_no"] == ("CBF_JTCY.CYZJHM", "3609**********0016, —", "3609**********0016, —")
    assert cells["members.name"] == ("CBF_JTCY.CYXM", "张**, 李*", "张**, 李*")
    assert cells["plots.area_mu"] == ("CBDKXX.HTMJM", "1.80", "1.80")
    assert cells["plots.way"] == ("= 110", None, "110")


def test_columns_say_their_form_and_how_many_have_it() -> None:
    rows = [{"BIRTH": "19600101", "AT": "2026/3/1 8:00:00", "QS": str(n % 2)} for n in range(48)]
    told = {c.column: (c.kind, c.share) for c in seen([*rows, {"BIRTH": "不详"}, {"BIRTH": "不详"}])}
    assert told == {
        "BIRTH": ("日期 yyyyMMdd", 96),
        "AT": ("时间 yyyy-MM-dd HH:mm:ss", 100),
        "QS": ("代码", 100),
    }


def test_a_preview_says_what_was_capped() -> None:
    rows = JsonRows([json.dumps(ITEM, ensure_ascii=False).encode()] * 60)
    page = SimpleNamespace(rows=rows, answer=SimpleNamespace(request="GET /x"), declared=200, notes=("CAPPED",))
    adapter = SimpleNamespace(fetch=lambda *_: page, close=lambda: None)
    feed: Any = SimpleNamespace(adapter=adapter, dataset=DATASETS["contracted_land"], translator=translator())
    assert preview(feed, 5).capped == [
        "来源给的比要的少：它自己限制了一次给多少条",
        "来源声明共 200 条，这一次给了 60 条，其余在后面的页里",
        "这一次的 60 条里只试读前 50 条",
        "试读的 50 条里只显示前 5 条",
    ]
