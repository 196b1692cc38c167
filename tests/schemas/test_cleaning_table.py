"""The table of china-facts §3.10, row by row, and what the brief of each kind adds to it."""

from datetime import date
from typing import Any, TypeAlias

import pytest

from schemas.cleaning import Cleaned, Options, cleaner

TODAY = date(2026, 3, 2)
X = "36098119800101008X"
INVISIBLE = "\u200b"


def clean(kind: str, raw: Any, **options: Any) -> Cleaned:
    return cleaner(kind, Options(today=TODAY, **options))(raw)


def bad(code: str) -> Cleaned:
    return Cleaned(None, (code,), code)


def flagged(value: str | None, *flags: str) -> Cleaned:
    return Cleaned(value, flags)


NULL = Cleaned(None, ("NULL_TOKEN",))
ABSENT = Cleaned(None)

Rows: TypeAlias = list[tuple[Any, Cleaned]]

ID: Rows = [
    ("３６０９８１１９８００１０１００８Ｘ", flagged(X, "FULLWIDTH")),
    ("36098119800101008x", flagged(X, "TRIMMED")),
    ("'36098119800101008X", flagged(X, "TRIMMED")),
    ("36098119800101008X\t", flagged(X, "TRIMMED")),
    ("360981 19800101 008X", flagged(X, "TRIMMED")),
    (f"{INVISIBLE}{X}", flagged(X, "TRIMMED")),
    ("362202751231003", flagged("362202197512310037", "ID15_UPGRADED")),
    (362202751231003, flagged("362202197512310037", "ID15_UPGRADED")),
    ("110105491231002", flagged("11010519491231002X", "ID15_UPGRADED")),
    ("36098119800101008Х", flagged(X, "LOOKALIKE_FOLDED")),
    ("36098119800101008×", flagged(X, "LOOKALIKE_FOLDED")),
    ("36098119800101008Ⅹ", flagged(X)),
    ("3.60981E+17", bad("ID_PRECISION_LOST")),
    ("360981198001010000", bad("ID_PRECISION_LOST")),
    (360981198001010000, bad("ID_PRECISION_LOST")),
    (3.60999198001010016e17, bad("ID_PRECISION_LOST")),
    (360999198001010061, bad("ID_CHECKSUM")),
    (360999199001010061, flagged("360999199001010061")),
    ("3609********008X", bad("ID_MASKED")),
    ("360981********008X", bad("ID_MASKED")),
    ("360981XXXXXXXX0083", bad("ID_MASKED")),
    ("360981199002300016", bad("ID_BIRTHDATE")),
    ("360981198001010013", bad("ID_CHECKSUM")),
    ("3609811980010100", bad("ID_FORM")),
    ("990981198001010012", bad("ID_FORM")),
    ("张三", bad("ID_FORM")),
    ("E12345678", flagged(None, "OTHER_DOCUMENT")),
    ("93360981MA0TEXT20W", flagged(None, "OTHER_DOCUMENT")),
    ("93360981MA0TEXT20X", bad("ID_FORM")),
]
NULL_TOKENS = [
    "无",
    "/",
    "—",
    "--",
    "-",
    "暂无",
    "未知",
    "不详",
    "null",
    "NULL",
    "N/A",
    "空",
    "0",
    "000000000000000000",
    "111111111111111111",
    "无证件",
    "未办证",
]
NAMES: Rows = [
    ("张　三", flagged("张三", "TRIMMED")),
    ("张 三", flagged("张三", "TRIMMED")),
    ("欧阳 建 国", flagged("欧阳建国", "TRIMMED")),
    *[(f"阿不都{dot}热合曼", flagged("阿不都·热合曼", "DOT_FOLDED")) for dot in "•．・.‧"],
    ("阿不都·热合曼", flagged("阿不都·热合曼")),
    ("张三(户主)", flagged("张三", "NAME_SUFFIX")),
    ("张三（已故）", flagged("张三", "NAME_SUFFIX")),
    ("张三 等", flagged("张三", "NAME_SUFFIX")),
    ("张三（户主） 等3人", flagged("张三", "NAME_SUFFIX")),
    *[(name, flagged(name, "NAME_GARBLED")) for name in ("李?", "李□", "李〇", "李*", "李\ue000", "李？", " 李?")],
    *[(name, flagged(name)) for name in ("王䶮", "李㛃", "张\U0002c386", "龍", "Anna Lee")],
    ("张三".encode().decode("latin-1"), flagged("张三", "MOJIBAKE")),
    (f"　{'李明'.encode().decode('latin-1')}", flagged("李明", "TRIMMED", "MOJIBAKE")),
    ("ＡＮＮＡ", flagged("ANNA", "FULLWIDTH")),
    ("丰城某某合作社(普通合伙)", flagged("丰城某某合作社(普通合伙)")),
    ("张\ud800", bad("TEXT_FORM")),
    ("张" * 101, bad("TEXT_FORM")),
]
DATES: Rows = [
    *[
        (raw, flagged("2023-07-01"))
        for raw in (
            "2023年7月1日",
            "2023/7/1",
            "2023.7.1",
            "20230701",
            "2023-07-01",
            "2023-07-01 00:00:00",
            "2023-07-01 00:00:00.0",
            "2023-07-01 13:05:09",
            "2023-07-01T00:00:00.000+0800",
            "2023-06-30T16:00:00Z",
            "20230701000000",
            "202307010000",
            "45108",
            45108,
            45108.5,
            "1688140800000",
            1688140800000,
            "二〇二三年七月一日",
            "２０２３年０７月０１日",
            "2023 年 7 月 1 日",
        )
    ],
    ("二〇二三年十二月三十一日", flagged("2023-12-31")),
    ("二〇二三年十月二十日", flagged("2023-10-20")),
    (315504000000, flagged("1980-01-01")),
    *[
        (raw, flagged("2023-07", "PARTIAL_DATE"))
        for raw in ("2023年7月", "202307", "2023-07", "2023.07", "二〇二三年七月")
    ],
    *[
        (raw, flagged(None, "ZERO_DATE"))
        for raw in (
            "0000-00-00",
            "1900-01-01",
            "19000101",
            "1899-12-30",
            "0001-01-01",
            "0001-01-01T00:00:00",
            "00000000",
        )
    ],
    *[(raw, flagged(None, "OPEN_ENDED")) for raw in ("长期", "永久", "9999-12-31", "99991231", "2999-12-31")],
    *[
        (raw, bad("BAD_DATE"))
        for raw in (
            "2023-02-30",
            "20231301",
            "2026-03-04",
            "2026-04",
            "2023.7",
            2023.7,
            "2023",
            "1850-01-01",
            "昨天",
            "2023-W01-1",
        )
    ],
    ("2026-03-03", flagged("2026-03-03")),
]
OPEN_DATES: Rows = [
    *[(raw, flagged("open")) for raw in ("长期", "永久", "9999-12-31", "99991231", "2999-12-31", "open")],
    ("2085-01-01", flagged("2085-01-01")),
    ("2085年1月1日", flagged("2085-01-01")),
    ("2023-02-30", bad("BAD_DATE")),
    ("2223-02-20", bad("BAD_DATE")),
]
AREAS: Rows = [
    *[
        (raw, flagged("120.00"))
        for raw in ("120平方米", "120㎡", "120m2", "120 M²", "120.00", "120", 120, "１２０", "120.000")
    ],
    ("0.18亩", flagged("120.00", "UNIT_CONVERTED")),
    ("1亩8分", flagged("1200.00", "UNIT_CONVERTED")),
    ("1.8分", flagged("120.00", "UNIT_CONVERTED")),
    ("1亩5厘", flagged("700.00", "UNIT_CONVERTED")),
    ("1.5公顷", flagged("15000.00", "UNIT_CONVERTED")),
    ("1,234.5", flagged("1234.50")),
    ("120.005", flagged("120.01")),
    (2500, flagged("2500.00")),
    ("0.00", flagged(None, "ZERO_AREA")),
    (0, flagged(None, "ZERO_AREA")),
    ("0.001", flagged(None, "ZERO_AREA")),
    *[
        (raw, bad("BAD_NUMBER"))
        for raw in ("约120", "-3", "12,34", "1e3", "9999999999", float("inf"), "宗地面积1/房屋面积2")
    ],
    ("宗地面积120㎡", flagged("120.00", "COMPOSITE")),
]
MONEY: Rows = [
    *[(raw, flagged("1234.50")) for raw in ("1,234.50", "￥1234.5", "¥1234.5", "1234.5元", "人民币1234.5元整", 1234.5)],
    ("0.12万元", flagged("1200.00")),
    ("(100.00)", flagged("-100.00")),
    ("（100.00）", flagged("-100.00")),
    ("-100", flagged("-100.00")),
    ("−100", flagged("-100.00")),
    ("-0.001", flagged("0.00")),
    (0, flagged("0.00")),
    (0.1 + 0.2, flagged("0.30")),
    ("2.675", flagged("2.68")),
    *[(raw, bad("BAD_NUMBER")) for raw in ("一千", "12,34", "(-100)", "--5", "1.2.3", "1234567890123", "1.2E+06")],
]
COUNTS: Rows = [
    *[(raw, flagged("3")) for raw in ("3", 3, 3.0, "３", "3人", " 3口", "3层", "3块", "003")],
    (True, flagged("1")),
    *[(raw, bad("BAD_NUMBER")) for raw in ("三", -3, "3.5", 1_000_000)],
]
UNIT = "360981102203JC00123F00010001"
UNITS: Rows = [
    (UNIT, flagged(UNIT)),
    ("360981 102203 JC00123\nF00010001", flagged(UNIT, "TRIMMED")),
    ("３６０９８１102203JC00123F00010001", flagged(UNIT, "FULLWIDTH")),
    (UNIT.lower(), flagged(UNIT, "TRIMMED")),
    ("320684413219GB00029F00010002", flagged("320684413219GB00029F00010002")),
    *[(raw, bad("UNIT_NO_FORM")) for raw in (UNIT[:-1], UNIT.replace("J", "K"), "360981102203JC00123")],
]
PARCELS: Rows = [
    (UNIT[:19], flagged(UNIT[:19])),
    (f" {UNIT[:19]}", flagged(UNIT[:19], "TRIMMED")),
    *[(raw, bad("PARCEL_FORM")) for raw in (UNIT, UNIT[:18])],
]
CERT = "赣(2023)丰城市不动产权第0001234号"
CERTS: Rows = [
    *[
        (raw, flagged(CERT))
        for raw in (CERT, "赣（2023）丰城市不动产权第0001234号", "赣〔2023〕丰城市不动产权第0001234号")
    ],
    ("赣(2023) 丰城市 不动产权第0001234号", flagged(CERT, "TRIMMED")),
    ("赣(2023)丰城市不动产权第００01234号", flagged(CERT, "FULLWIDTH")),
    *[
        (raw, flagged(raw))
        for raw in (
            "赣(2023)丰城市不动产证明第0004321号",
            "湘(2018)北湖不动产权第001234号",
            "赣(2023)丰城市不动产权第00001234号",
            "丰集用(2010)第01234号",
            "丰国用(2012)第345号",
            "丰房权证剑光字第10234号",
            "赣(2017)丰城市农村土地承包经营权证第000123号",
            "J360981-2026-000123",
            "3609810001234",
        )
    ],
    (f"{CERT}、{CERT.replace('1234', '1235')}", flagged(f"{CERT}/{CERT.replace('1234', '1235')}")),
    *[
        (raw, bad("CERT_NO_FORM"))
        for raw in (
            "赣(2023)丰城市不动产权第号",
            "赣(2023)丰城市不动产权第12号",
            "不动产权证",
            "赣(2023)丰城市第1234号",
            "abcd",
            "宅基地使用证",
            f"{CERT}/待补",
        )
    ],
]
DIVISIONS: Rows = [
    *[(raw, flagged(raw)) for raw in ("360981", "360981102", "360981102203", "360981000000", "440106")],
    (360981, flagged("360981")),
    ("362202", flagged("360981", "DIVISION_HISTORIC")),
    ("362221", flagged("360981", "DIVISION_HISTORIC")),
    *[(raw, bad("DIVISION_FORM")) for raw in ("36098110220301", "360981102203011", "3609", "丰城市")],
]
ACCOUNTS: Rows = [
    *[
        (raw, flagged("****0123"))
        for raw in ("6217000012345670123", "************0123", "6217****0123", "****0123", "10230123")
    ],
    ("6217 0000 1234 5670 123", flagged("****0123", "TRIMMED")),
    *[(raw, bad("IDENT_FORM")) for raw in ("1234567", "****", 6217000000000000000, "工商银行")],
]
IDENTS: Rows = [
    *[(raw, flagged(raw)) for raw in ("YW2026-0001", "a_b/c.d")],
    (12.0, flagged("12")),
    ("ＹＷ01 ", flagged("YW01", "FULLWIDTH", "TRIMMED")),
    *[(raw, bad("IDENT_FORM")) for raw in ("业务1号", "x" * 65, 2.0**60)],
]
TEXTS: Rows = [
    ("剑光街道12号", flagged("剑光街道12号")),
    ("剑光街道１２号", flagged("剑光街道12号", "FULLWIDTH")),
    (" 剑光街道　12号\n", flagged("剑光街道 12号", "TRIMMED")),
    ("水稻（早稻）补贴", flagged("水稻(早稻)补贴")),
    ("户名不符，退票", flagged("户名不符，退票")),
    ("丰城".encode().decode("latin-1"), flagged("丰城", "MOJIBAKE")),
    (f"{'丰城'.encode().decode('latin-1')}　", flagged("丰城", "TRIMMED", "MOJIBAKE")),
    ("50%", flagged("50%")),
    (12, flagged("12")),
    ("㎡", flagged("㎡")),
    ("长" * 401, bad("TEXT_FORM")),
    ("\ud800", bad("TEXT_FORM")),
]
MONTHS: Rows = [
    *[
        (raw, flagged("2023-07"))
        for raw in ("2023-07", "202307", "2023年7月", "2023-07-15", "20230715", "2023/7", 202307)
    ],
    ("2027-12", flagged("2027-12")),
    ("1900-01", flagged(None, "ZERO_DATE")),
    ("9999-12", flagged(None, "OPEN_ENDED")),
    ("2226-01", bad("BAD_DATE")),
    ("长期", flagged(None, "OPEN_ENDED")),
    *[(raw, bad("BAD_DATE")) for raw in ("202313", "2023", "七月")],
]
YEARS: Rows = [
    *[(raw, flagged("2026")) for raw in ("2026", 2026, "2026年", "2026年度", "2026-01-01", "202601", "２０２６")],
    ("2027", flagged("2027")),
    ("0000", flagged(None, "ZERO_DATE")),
    *[(raw, bad("BAD_DATE")) for raw in ("2028", "45108", "26", "1899")],
]

DATES_AHEAD: Rows = [
    ("2027-12-31", flagged("2027-12-31")),
    ("20280101", flagged("2028-01-01")),
    ("2028年1月", flagged("2028-01", "PARTIAL_DATE")),
    *[(raw, flagged(None, "OPEN_ENDED")) for raw in ("长期", "9999-12-31")],
    ("1900-01-01", flagged(None, "ZERO_DATE")),
    *[(raw, bad("BAD_DATE")) for raw in ("2027-02-29", "2226-01-01", "1850-01-01")],
]
MU: Rows = [
    *[(raw, flagged("3.50")) for raw in ("3.5", 3.5, "3.50亩", "3.5 市亩", "３.５")],
    ("120㎡", flagged("0.18", "UNIT_CONVERTED")),
    ("2333.33平方米", flagged("3.50", "UNIT_CONVERTED")),
    ("1亩8分", flagged("1.80", "UNIT_CONVERTED")),
    ("0.1公顷", flagged("1.50", "UNIT_CONVERTED")),
    ("1.005", flagged("1.01")),
    ("0", flagged(None, "ZERO_AREA")),
    ("3平方米", flagged(None, "ZERO_AREA")),
    *[(raw, bad("BAD_NUMBER")) for raw in ("约3亩", "-3", "3.5.1")],
]
OR_ZERO: Rows = [
    *[(raw, flagged("0.00")) for raw in ("0", 0, "0.00", "0.001")],
    ("12.5", flagged("12.50")),
    ("-3", bad("BAD_NUMBER")),
]
QUANTITIES: Rows = [
    *[(raw, flagged("1200.00")) for raw in ("1200", 1200, 1200.0, "1,200", "0.12万", "１２００")],
    *[(raw, flagged("1200.00", "UNIT_WRITTEN")) for raw in ("1200头", "0.12万羽", "1,200 尾", "1200.0公斤")],
    ("0", flagged("0.00")),
    ("12.345", flagged("12.35")),
    *[(raw, bad("BAD_NUMBER")) for raw in ("若干", "-1", "12头猪", "1e3", "1234567890")],
]
ISSUER, CONTRACTOR, PLOT = "36098110220301", "360981102203010001", "3609811022030100001"
ISSUERS: Rows = [
    (ISSUER, flagged(ISSUER)),
    (int(ISSUER), flagged(ISSUER)),
    ("360981 102203 01", flagged(ISSUER, "TRIMMED")),
    *[(raw, bad("LAND_CODE_FORM")) for raw in (ISSUER[:-1], CONTRACTOR, f"0{ISSUER[1:]}")],
]
CONTRACTORS: Rows = [
    (CONTRACTOR, flagged(CONTRACTOR)),
    (f"'{CONTRACTOR}", flagged(CONTRACTOR, "TRIMMED")),
    ("３６０９８１102203010001", flagged(CONTRACTOR, "FULLWIDTH")),
    *[(raw, bad("LAND_CODE_FORM")) for raw in (CONTRACTOR[:-1], ISSUER, 360981102203010048)],
]
CONTRACTS: Rows = [
    *[(f"{CONTRACTOR}{letter}", flagged(f"{CONTRACTOR}{letter}")) for letter in "JQ"],
    (f"{CONTRACTOR}j", flagged(f"{CONTRACTOR}J", "TRIMMED")),
    (CONTRACTOR, flagged(CONTRACTOR, "CONTRACT_CODE_SHORT")),
    (f" {CONTRACTOR}", flagged(CONTRACTOR, "TRIMMED", "CONTRACT_CODE_SHORT")),
    *[(raw, bad("LAND_CODE_FORM")) for raw in (f"{CONTRACTOR}K", f"{CONTRACTOR}JJ", CONTRACTOR[:-1])],
]
PLOTS: Rows = [
    (PLOT, flagged(PLOT)),
    ("3609811022030 100001", flagged(PLOT, "TRIMMED")),
    *[(raw, bad("LAND_CODE_FORM")) for raw in (PLOT[:-1], f"{PLOT}1", "地块一", 3609811022030100480)],
]
CREDIT = "92360981MA0TEXT125"
CREDITS: Rows = [
    *[(raw, flagged(raw)) for raw in (CREDIT, "93360981MA0TEXT20W", "N2360981MF0TEXT37K", "91350100M000100Y43")],
    (CREDIT.lower(), flagged(CREDIT, "TRIMMED")),
    ("92360981 MA0TEXT12 5", flagged(CREDIT, "TRIMMED")),
    ("92360981MAOTEXT125", flagged(CREDIT, "LOOKALIKE_FOLDED")),
    ("9236O98IMA0TEXT125", flagged(CREDIT, "LOOKALIKE_FOLDED")),
    ("110108000000016", flagged("110108000000016", "LEGACY_CODE")),
    (110108000000016, flagged("110108000000016", "LEGACY_CODE")),
    ("360981NA000123X", flagged("360981NA000123X", "LEGACY_CODE")),
    ("D2143569-X", flagged("D2143569X", "LEGACY_CODE")),
    ("36099919900101007X", flagged(None, "OTHER_DOCUMENT")),
    *[(raw, bad("CREDIT_CODE_CHECKSUM")) for raw in ("92360981MA0TEXT124", "360999199001010070")],
    *[
        (raw, bad("CREDIT_CODE_FORM"))
        for raw in (CREDIT[:-1], "110108000000017", "待办理", "9236****25", 913609990000004480)
    ],
]
DOCUMENT = "赣农字〔2023〕15号"
DOCUMENTS: Rows = [
    *[
        (raw, flagged(DOCUMENT))
        for raw in (DOCUMENT, "赣农字（2023）15号", "赣农字[2023]第015号", "赣农字【2023】15号")
    ],
    ("赣农字〔２０２３〕15号", flagged(DOCUMENT, "FULLWIDTH")),
    ("赣农字 〔2023〕 15号", flagged(DOCUMENT, "TRIMMED")),
    ("农业农村部公告第634号", flagged("农业农村部公告第634号")),
    (f"{DOCUMENT}、丰农发〔2024〕3号", flagged(f"{DOCUMENT}/丰农发〔2024〕3号")),
    ("关于公布示范家庭农场名单的通知（赣农字〔2023〕15号）", flagged(DOCUMENT, "DOCUMENT_NO_FROM_TITLE")),
    *[(raw, bad("DOCUMENT_NO_FORM")) for raw in ("省厅文件", "赣农字2023-15", "2023年15号", f"{DOCUMENT}、省厅文件")],
]

TABLE: dict[str, Rows] = {
    "id_no": ID,
    "name": NAMES,
    "date": DATES,
    "date_ahead": DATES_AHEAD,
    "open_date": OPEN_DATES,
    "area_m2": AREAS,
    "area_m2_or_zero": OR_ZERO,
    "area_mu": MU,
    "area_mu_or_zero": OR_ZERO,
    "quantity": QUANTITIES,
    "money": MONEY,
    "count": COUNTS,
    "unit_no": UNITS,
    "parcel_code": PARCELS,
    "issuer_code": ISSUERS,
    "contractor_code": CONTRACTORS,
    "contract_code": CONTRACTS,
    "plot_code": PLOTS,
    "credit_code": CREDITS,
    "document_no": DOCUMENTS,
    "cert_no": CERTS,
    "division": DIVISIONS,
    "account_tail": ACCOUNTS,
    "ident": IDENTS,
    "text": TEXTS,
    "month": MONTHS,
    "year": YEARS,
}
ROWS = [(kind, raw, verdict) for kind, rows in TABLE.items() for raw, verdict in rows]


@pytest.mark.parametrize(("kind", "raw", "verdict"), ROWS, ids=[f"{k}-{r!r:.40}" for k, r, _ in ROWS])
def test_table(kind: str, raw: Any, verdict: Cleaned) -> None:
    assert clean(kind, raw) == verdict


MEASURES = {"area_m2", "area_m2_or_zero", "area_mu", "area_mu_or_zero", "money", "quantity", "count"}
NUMERIC = MEASURES | {"year", "account_tail"}


@pytest.mark.parametrize(
    ("kind", "token"),
    [(k, t) for k in TABLE for t in NULL_TOKENS if t != "0" and not (k in NUMERIC and t.isdigit())],
)
def test_null_tokens_mean_nothing_in_every_kind(kind: str, token: str) -> None:
    assert clean(kind, token) == NULL


@pytest.mark.parametrize("kind", [k for k in TABLE if k not in MEASURES])
def test_a_lone_zero_is_nothing_where_it_is_no_number(kind: str) -> None:
    assert clean(kind, "0") == clean(kind, 0) == NULL


@pytest.mark.parametrize("raw", [None, "", " ", "　", "\t\n", "'", INVISIBLE])
@pytest.mark.parametrize("kind", TABLE)
def test_blank_is_absent_without_a_flag(kind: str, raw: Any) -> None:
    assert clean(kind, raw) == ABSENT


def test_area_takes_the_unit_of_its_source() -> None:
    assert clean("area_m2", "3.5", unit="亩") == flagged("2333.33")
    assert clean("area_m2", "3.5亩", unit="亩") == flagged("2333.33")
    assert clean("area_m2", "2", unit="分") == flagged("133.33")
    assert clean("area_m2", "120.00", unit="亩") == flagged("80000.00")
    assert clean("area_m2", "120㎡", unit="亩") == flagged("120.00", "UNIT_CONVERTED")
    assert clean("area_mu", "2333.33", unit="m²") == flagged("3.50")
    assert clean("area_mu_or_zero", "15", unit="公顷") == flagged("225.00")


def test_composite_area_gives_the_part_that_is_meant() -> None:
    text = "宗地面积0.00㎡/房屋建筑面积47.10㎡"
    assert clean("area_m2", text, part="宗地面积") == flagged(None, "COMPOSITE", "ZERO_AREA")
    assert clean("area_m2", text, part="房屋建筑面积") == flagged("47.10", "COMPOSITE")
    assert clean("area_m2", text, part="建筑面积") == flagged("47.10", "COMPOSITE")
    assert clean("area_m2", text, part="批准面积") == flagged(None, "COMPOSITE")
    assert clean("area_m2", "宗地面积:/房屋建筑面积:1,047.1", part="房屋建筑面积") == flagged("1047.10", "COMPOSITE")
    assert clean("area_m2", "47.10", part="房屋建筑面积") == flagged("47.10")
    assert clean("area_m2", "宗地面积约1/房屋建筑面积2", part="宗地面积").problem == "BAD_NUMBER"


def test_money_takes_the_unit_of_its_source() -> None:
    assert clean("money", "0.12", unit="万元") == flagged("1200.00")
    assert clean("money", "12.00", unit="万元") == flagged("120000.00")
    assert clean("money", "12元", unit="万元") == flagged("12.00")


@pytest.mark.parametrize(
    ("name", "raw", "verdict"),
    [
        ("sex", "男", flagged("1")),
        ("sex", "男性", flagged("1")),
        ("sex", "f", flagged("2")),
        ("sex", 0, flagged("0")),
        ("sex", " 女", flagged("2", "TRIMMED")),
        ("sex", "１", flagged("1", "FULLWIDTH")),
        ("sex", "未知", NULL),
        ("sex", "中", bad("CODE_UNKNOWN")),
        ("sex", None, ABSENT),
        ("relation_to_head", "02", flagged("02")),
        ("relation_to_head", "户主", flagged("02")),
        ("relation_to_head", "儿媳", flagged("38")),
        ("relation_to_head", 2, bad("CODE_UNKNOWN")),
        ("register_kind", "非农业家庭户", flagged("1")),
        ("country", 156, flagged("CHN")),
        ("country", "中华人民共和国", flagged("CHN")),
        ("marriage_op", "补发离婚登记证", flagged("ICB")),
        ("right_type", "8001606", bad("CODE_UNKNOWN")),
        ("right_status", "注销", flagged("3")),
        ("land_use", "072", flagged("0702")),
        ("yes_no", "有", flagged("1")),
        ("yes_no", "无", flagged("0")),
        ("yes_no", "√", flagged("1")),
        ("yes_no", True, flagged("1")),
        ("yes_no", "2", bad("CODE_UNKNOWN")),
        ("payment_status", "发放失败", flagged("failed")),
        ("assistance_category", "Ｂ类", flagged("B", "FULLWIDTH")),
        ("subsidy_type", "耕地地力保护补贴", flagged("farmland_protection")),
        ("subsidy_type", "农机购置补贴", flagged("machinery")),
        ("subsidy_type", "春节慰问金", bad("CODE_UNKNOWN")),
        ("subsidy_status", "待申请结算", flagged("pending")),
        ("subsidy_status", "已结算", flagged("paid")),
        ("contractor_type", "农户", flagged("1")),
        ("contract_way", 110, flagged("110")),
        ("contract_way", "公开协商", flagged("123")),
        ("contract_way", "其他方式", flagged("900")),
        ("plot_use", "种植业", flagged("1")),
        ("plot_kind", "自留地", flagged("21")),
        ("land_grade", 3, flagged("03")),
        ("land_grade", "十等地", flagged("10")),
        ("entity_type", "农民专业合作社", flagged("cooperative")),
        ("entity_type", "种粮大户", flagged("large_grower")),
        ("entity_type", "4", bad("CODE_UNKNOWN")),
        ("entity_level", "省级示范家庭农场", flagged("provincial")),
        ("entity_level", "国家级示范社", flagged("national")),
        ("entity_level", "无", NULL),
        ("entity_status", "存续", flagged("active")),
        ("business_kind", "种养结合型", flagged("mixed")),
        ("scale_unit", "台（套）", flagged("set")),
        ("monitoring_result", "监测合格", flagged("passed")),
        ("approval_kind", "原址改建", flagged("rebuild")),
        ("approval_status", "验收合格", flagged("accepted")),
        ("land_origin", "水田", flagged("cultivated")),
    ],
)
def test_codes(name: str, raw: Any, verdict: Cleaned) -> None:
    assert clean("code", raw, code_list=name) == verdict


def test_a_sources_own_dictionary_replaces_the_lists_texts() -> None:
    ny = {"1": "1", "2": "0", "": "0"}
    assert clean("code", 2, code_list="yes_no", codes=ny) == flagged("0")
    assert clean("code", None, code_list="yes_no", codes=ny) == flagged("0")
    assert clean("code", "是", code_list="yes_no", codes=ny) == bad("CODE_UNKNOWN")


@pytest.mark.parametrize(
    ("kind", "options", "names"),
    [
        ("colour", {}, ["id_no", "ident"]),
        ("area_m2", {"unit": "尺"}, ["m²", "亩", "公顷", "分", "厘"]),
        ("money", {"unit": "角"}, ["元", "万元"]),
        ("code", {"code_list": "colour"}, ["sex", "yes_no"]),
        ("code", {"code_list": "sex", "codes": {"男": "m"}}, ["1 男性", "2 女性"]),
        ("code", {}, ["代码表"]),
    ],
)
def test_impossible_options_are_refused_naming_what_is_allowed(
    kind: str, options: dict[str, Any], names: list[str]
) -> None:
    with pytest.raises(ValueError) as refusal:
        clean(kind, "x", **options)
    assert all(name in str(refusal.value) for name in names)


def test_ages_end_at_120_and_births_today() -> None:
    assert clean("id_no", "360999195511110048").value
    assert cleaner("id_no", Options(today=date(1955, 11, 11)))("360999195511110048").value
    assert cleaner("id_no", Options(today=date(1955, 11, 10)))("360999195511110048") == bad("ID_BIRTHDATE")
    assert cleaner("id_no", Options(today=date(2076, 1, 1)))("360999195511110048") == bad("ID_BIRTHDATE")
