"""XML rows: the byte split gives what a parse gives, and steps aside wherever it would be wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.kit import SourceMalformed, XmlRows, decode_xml_row, xmlrows

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="urn:soap" xmlns:n="urn:n"><s:Body><n:R>'
    "<n:total>2</n:total>{rows}<n:code>0</n:code></n:R></s:Body></s:Envelope>"
)
FAST = "<n:record><n:A>张三</n:A><n:B/></n:record>\n <n:record><n:B>2</n:B></n:record>"
EXPECTED = [{"A": "张三", "B": ""}, {"B": "2"}]


def split(rows: str) -> XmlRows:
    return xmlrows.split(ENVELOPE.format(rows=rows).encode(), "record")[1]


def test_rows_are_found_by_tag_and_absent_is_not_empty() -> None:
    rows = split(FAST)
    assert [bytes(row[:10]) for row in rows.raw] == [b"<n:record>"] * 2
    assert rows.decode() == EXPECTED
    assert rows.decode([1]) == EXPECTED[1:]
    assert rows.decode([]) == []


def test_the_shell_keeps_what_stands_around_the_rows() -> None:
    shell, _ = xmlrows.split(ENVELOPE.format(rows=FAST).encode(), "record")
    walked, rows = xmlrows.split(ENVELOPE.format(rows=f"<!-- x -->{FAST}").encode(), "record")
    assert (len(rows.raw), walked.find(".//{*}record"), xmlrows.text(walked, "code")) == (2, None, "0")
    assert (xmlrows.text(shell, "total"), xmlrows.text(shell, "code"), xmlrows.text(shell, "msg")) == ("2", "0", "")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("<n:record><n:A><![CDATA[a</n:record>b]]></n:A></n:record>", [{"A": "a</n:record>b"}]),
        ("<n:record><!-- </n:record> --><n:A>1<!--x-->2</n:A></n:record>", [{"A": "12"}]),
        (
            "<n:record><n:A>1</n:A></n:record><m:record xmlns:m='urn:n'><m:A>2</m:A></m:record>",
            [{"A": "1"}, {"A": "2"}],
        ),
        ("<n:record><n:A>1</n:A></n:record><n:note/><n:record><n:A>2</n:A></n:record>", [{"A": "1"}, {"A": "2"}]),
        ("<n:record no='7'><n:A>1</n:A></n:record >", [{"no": "7", "A": "1"}]),
        ("<n:record A='1' B=''/><n:record A='2'/>", [{"A": "1", "B": ""}, {"A": "2"}]),
        ("<record xmlns='urn:n'><A>1</A></record>", [{"A": "1"}]),
        ("<n:record/><n:record><n:A>1</n:A></n:record>", [{}, {"A": "1"}]),
        ("<n:record><n:A>1</n:A></n:record><n:record/>", [{"A": "1"}, {}]),
        (
            "<m:record xmlns:m='relative'><m:A>1</m:A></m:record><n:record><n:A>2</n:A></n:record>",
            [{"A": "1"}, {"A": "2"}],
        ),
        ("<n:recordCount>5</n:recordCount><n:record><n:A>1</n:A></n:record>", [{"A": "1"}]),
        ("", []),
    ],
)
def test_where_bytes_mislead_the_document_is_parsed(rows: str, expected: list[dict[str, str]]) -> None:
    assert split(rows).decode() == expected


def test_a_row_inside_a_row_is_part_of_it() -> None:
    rows = split("<n:record><n:A>1</n:A><n:list><n:record><n:A>2</n:A></n:record></n:list></n:record>")
    assert len(rows.raw) == 1
    assert rows.decode()[0]["A"] == "1"


@given(
    st.lists(st.dictionaries(st.sampled_from("ABCD"), st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")))))
)
def test_the_byte_split_agrees_with_a_full_parse(items: list[dict[str, str]]) -> None:
    root = etree.Element("{urn:n}root", nsmap={"n": "urn:n"})
    for item in items:
        row = etree.SubElement(root, "{urn:n}record")
        for name, value in item.items():
            etree.SubElement(row, f"{{urn:n}}{name}").text = value
    _, fast = xmlrows.split(etree.tostring(root, encoding="utf-8"), "record")
    slow = xmlrows.split(etree.tostring(root, encoding="utf-8") + b"<!-- parse me -->", "record")[1]
    assert fast.decode() == slow.decode() == [{**item} for item in items]


def test_the_same_item_has_the_same_bytes_wherever_it_stands() -> None:
    item, other = "<n:record><n:A>1</n:A></n:record>", "<n:record><n:A>2</n:A></n:record>"
    assert split(item + other).raw[0] == split(other + "\n  " + item).raw[1]
    commented = "<!--x-->"
    assert split(commented + item + other).raw[0] == split(other + commented + "\n" + item).raw[1]


@pytest.mark.parametrize("encoding", ["GBK", "gb2312", "GB18030"])
def test_a_chinese_encoding_is_read_as_its_superset(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?><r><record><A>镕䶮𬎆·</A></record></r>'.encode("gb18030")
    assert xmlrows.split(body, "record")[1].decode() == [{"A": "镕䶮𬎆·"}]


def test_an_inner_declaration_lies_about_the_text_it_came_in() -> None:
    text = '\ufeff <?xml version="1.0" encoding="GBK"?><r><record><A>张</A></record></r>'
    assert xmlrows.split(xmlrows.inner(text), "record")[1].decode() == [{"A": "张"}]


def test_elements_that_repeat_or_hold_others_are_lists_and_items() -> None:
    rows = split(
        "<n:record><n:Q><n:M>1</n:M></n:Q><n:Q><n:M>2</n:M></n:Q><n:T>a</n:T><n:T>b</n:T><n:O><n:M>3</n:M></n:O></n:record>"
    )
    assert rows.decode() == [{"Q": [{"M": "1"}, {"M": "2"}], "T": ["a", "b"], "O": {"M": "3"}}]


def test_attributes_of_cells_are_columns_only_where_all_data_are_attributes() -> None:
    rows = split("<n:record no='1'><n:A unit='m'/><n:B>2</n:B></n:record><n:record no='2'><n:A k='v'/></n:record>")
    assert rows.decode() == [{"no": "1", "A": "", "B": "2"}, {"no": "2", "A": {"k": "v"}}]


def test_a_path_tells_rows_from_others_of_their_name() -> None:
    body = b"<r><head><row><A>0</A></row></head><data><row><A>1</A></row></data></r>"
    shell, rows = xmlrows.split(body, "data/row")
    assert rows.decode() == [{"A": "1"}]
    assert xmlrows.text(shell, "head/row/A") == "0"


def test_a_charset_of_the_content_type_counts_where_the_document_is_silent() -> None:
    silent, told = "<r>镕</r>".encode("gb18030"), '<?xml version="1.0" encoding="UTF-8"?><r>镕</r>'.encode()
    assert xmlrows.text(xmlrows.parse(xmlrows.utf8(silent, "text/xml; charset=GBK")), "r") == "镕"
    assert xmlrows.text(xmlrows.parse(xmlrows.utf8(told, "text/xml; charset=GBK")), "r") == "镕"


def test_a_document_inside_a_text_may_be_large() -> None:
    body = f"<r><return>&lt;d>&lt;t>7&lt;/t>{'x' * (11 << 20)}&lt;/d></return></r>".encode()
    assert xmlrows.text(xmlrows.parse(body, huge=True), "return/t") == "7"
    with pytest.raises(SourceMalformed):
        xmlrows.parse(body)


LAUGHS = '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><r><record><A>&b;</A></record></r>'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r><record/></r>', "DTD"),
        (LAUGHS.encode(), "DTD"),
        (LAUGHS.encode("utf-16"), "DTD"),
        (b"<r><record><A>1</A></record><record><A>", "TRUNCATED"),
        (b"<r><record><A>1</A></record>", "TRUNCATED"),
        (b"<r><record><A>1</A></record></q>", "NON_XML"),
        (b"<r>&undefined;</r>", "NON_XML"),
        (b'{"code":0}', "NON_XML"),
        (b"", "NON_XML"),
        (b'<?xml version="1.0" encoding="GBK"?><r>\x81</r>', "DECODE"),
        ('<?xml version="1.0" encoding="UTF-8"?><r>镕</r>'.encode("gb18030"), "DECODE"),
        (b'<?xml version="1.0" encoding="nonsense"?><r/>', "DECODE"),
    ],
)
def test_what_is_unsafe_or_broken_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(SourceMalformed) as caught:
        xmlrows.split(body, "record")
    assert caught.value.code == code


def test_a_row_that_is_broken_inside_is_refused_when_it_is_wanted() -> None:
    rows = split("<n:record><n:A>1</n:A></n:record><n:record><n:A>2</n:B></n:record>")
    assert rows.decode([0]) == [{"A": "1"}]
    with pytest.raises(SourceMalformed):
        rows.decode([1])


def test_a_kept_row_is_read_without_its_answer() -> None:
    assert decode_xml_row(b"<n:record x:k='v'><n:A>\xe5\xbc\xa0</n:A></n:record>") == {"k": "v", "A": "张"}
    assert decode_xml_row(b"<record><A>1</A><B/></record>") == {"A": "1", "B": ""}
