"""Twenty interface documents as vendors send them, made by code: Word, PDF and Excel; merged cells, pinyin and English names,
missing types, columns that are nobody's business. Each says which column truly is which field.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape

import typst
from openpyxl import Workbook

Grid = list[list[str]]
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@dataclass(frozen=True)
class Vendor:
    name: str
    form: str
    dataset: str
    head: Sequence[str]
    """Of `name`, `title`, `type`, `note`, as the vendor heads them, in the vendor's order; `-` leaves one out."""
    rows: str
    """One line a column: name|title|type|note|field, the last blank where it is none of ours."""
    intro: str = ""

    @property
    def truth(self) -> dict[str, str]:
        return {c[0]: c[4] for c in self.cells if c[4]}

    @property
    def cells(self) -> list[list[str]]:
        return [line.split("|") for line in self.rows.strip().splitlines()]

    def grid(self) -> Grid:
        kept = [i for i, word in enumerate(self.head) if word != "-"]
        return [[self.head[i] for i in kept], *([c[i] for i in kept] for c in self.cells)]

    def body(self) -> bytes:
        return {"docx": docx, "pdf": pdf, "xlsx": xlsx}[self.form](self.intro, self.grid())


def docx(intro: str, grid: Grid, request: Grid | None = None) -> bytes:
    """A title row merged across every column stands above the head, as in many a template."""

    def row(cells: list[str]) -> str:
        return (
            "<w:tr>" + "".join(f"<w:tc><w:p><w:r><w:t>{escape(c)}</w:t></w:r></w:p></w:tc>" for c in cells) + "</w:tr>"
        )

    def table(rows: Grid, title: str) -> str:
        span = f'<w:tcPr><w:gridSpan w:val="{len(rows[0])}"/></w:tcPr>'
        merged = f"<w:tr><w:tc>{span}<w:p><w:r><w:t>{title}</w:t></w:r></w:p></w:tc></w:tr>"
        return f"<w:tbl>{merged}{''.join(map(row, rows))}</w:tbl>"

    paragraphs = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in intro.splitlines())
    asked = f"<w:p><w:r><w:t>请求参数</w:t></w:r></w:p>{table(request, '参数表')}" if request else ""
    answer = f"<w:p><w:r><w:t>返回字段</w:t></w:r></w:p>{table(grid, '字段表')}"
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", "<Types/>")
        body = f"{paragraphs}{asked}{answer}"
        packed.writestr("word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>')
    return out.getvalue()


def pdf(intro: str, grid: Grid) -> bytes:
    cells = ", ".join(f'"{cell}"' for row in grid for cell in row)
    source = (
        f'#set text(font: "Noto Sans CJK SC", size: 9pt)\n{intro}\n\n返回字段\n#table(columns: {len(grid[0])}, {cells})'
    )
    return typst.compile(source.encode())


def xlsx(intro: str, grid: Grid) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "数据结构"
    sheet.append([intro or "接口字段"])
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=len(grid[0]))
    for row in grid:
        sheet.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


LONG = ("字段名", "中文名", "类型", "说明")
BACK = ("字段代码", "含义", "数据类型", "备注")
BARE = ("参数名", "参数说明", "-", "-")
ENGLISH = ("name", "title", "type", "remark")
MEMBERS = """GMSFHM|公民身份号码|VARCHAR(18)||id_no
XM|姓名|VARCHAR(50)||name
CYM|曾用名|VARCHAR(50)||former_name
XB|性别|CHAR(1)|1-男，2-女|sex
CSRQ|出生日期|DATE||birth_date
HH|户号|VARCHAR(20)||household_no
PCSDM|派出所代码|VARCHAR(12)||station_code
YHZGX|与户主关系|VARCHAR(2)|02-户主，10-配偶|relation_to_head
HJDZ|户籍地址|VARCHAR(200)||register_address
HZSFZH|户主身份证号|VARCHAR(18)||head_id_no
HZXM|户主姓名|VARCHAR(50)||head_name
SWRQ|死亡日期|DATE||died_on
MZ|民族|VARCHAR(2)||
JBRXM|经办人姓名|VARCHAR(50)||"""
HOMES = """BDCDYH|不动产单元号|VARCHAR(28)||unit_no
ZDDM|宗地代码|VARCHAR(19)||parcel_code
BDCQZH|不动产权证号|VARCHAR(50)||cert_no
QLLX|权利类型|VARCHAR(2)||right_type
QSZT|权属状态|VARCHAR(1)|1-现势，2-历史|right_status
DJLX|登记类型|VARCHAR(3)||reg_type
DJSJ|登记时间|DATETIME||reg_date
DJJG|登记机构|VARCHAR(100)||reg_office
SYQMJ|使用权面积|DECIMAL(15,2)|单位：平方米|land_area_m2
JZMJ|建筑面积|DECIMAL(15,2)|单位：平方米|building_area_m2
YT|用途|VARCHAR(20)||use
ZL|坐落|VARCHAR(200)||location
QLRMC|权利人名称|VARCHAR(100)||holders.name
ZJH|证件号|VARCHAR(50)||holders.id_no
DLRMC|代理人名称|VARCHAR(50)||
DLRZJH|代理人证件号|VARCHAR(50)||"""
LAND = """CBHTBM|承包合同代码|VARCHAR(19)||contract_code
CBFBM|承包方编码|VARCHAR(18)||contractor_code
FBFBM|发包方编码|VARCHAR(14)||issuer_code
FBFMC|发包方名称|VARCHAR(50)||issuer_name
CBFLX|承包方类型|CHAR(1)|1-农户，2-个人，3-单位|contractor_type
CBFS|承包方式|VARCHAR(3)||way
CBQXQ|承包期限起|DATE||valid_from
CBQXZ|承包期限止|DATE||valid_to
QDSJ|签订时间|DATE||signed_on
HTZMJ|合同总面积（平方米）|DECIMAL(15,2)||area_m2
HTZMJM|合同总面积（亩）|DECIMAL(15,2)||area_mu
CBDKZS|承包地块总数|INT||plot_count
CBFMC|承包方名称|VARCHAR(50)||contractor_name
CBFZJHM|承包方证件号码|VARCHAR(20)||contractor_id_no
CBFCYSL|承包方成员数量|INT||member_count
LXDH|联系电话|VARCHAR(20)||"""
PAID = """MXID|批次明细ID|VARCHAR(32)||detail_id
PCH|批次号|VARCHAR(32)||batch_no
ND|年度|CHAR(4)||year
XMBM|补贴项目编码|VARCHAR(20)||item_code
XMMC|补贴项目名称|VARCHAR(100)||item_name
ZGBM|主管部门|VARCHAR(50)||authority
ZJWH|资金文号|VARCHAR(50)||document_no
FFZT|发放状态|CHAR(1)|1-发放成功，2-发放失败|status
FFRQ|发放日期|DATE||paid_on
SBYY|失败原因|VARCHAR(100)||failure
LQRXM|领取人姓名|VARCHAR(50)||payee_name
LQRSFZH|领取人身份证号|VARCHAR(18)||payee_id_no
YFJE|应发金额|DECIMAL(12,2)|单位：元|amount_due
SFJE|实发金额|DECIMAL(12,2)|单位：元|amount_paid
YHKH|银行卡号|VARCHAR(30)||account_tail
SJHM|手机号码|VARCHAR(11)||"""
WED = """YWLX|业务类型|CHAR(2)||op_type
DJRQ|登记日期|DATE||op_date
ZZH|证字号|VARCHAR(30)||cert_no
DJJGDM|登记机关代码|VARCHAR(12)||dept_code
DJJG|登记机关|VARCHAR(60)||dept_name
NFXM|男方姓名|VARCHAR(50)||parties.0.name
NFSFZH|男方身份证号|VARCHAR(18)||parties.0.id_no
NFCSRQ|男方出生日期|DATE||parties.0.birth_date
FFXM|女方姓名|VARCHAR(50)||parties.1.name
FFSFZH|女方身份证号|VARCHAR(18)||parties.1.id_no
FFCSRQ|女方出生日期|DATE||parties.1.birth_date
DJY|登记员|VARCHAR(50)||"""
AID = """JZZH|救助证号|VARCHAR(30)||cert_no
JZLX|救助类型|CHAR(2)||kind
QSNY|起始保障年月|CHAR(6)||since
SSNY|所属月份|CHAR(6)||period
BZRK|保障人口|INT||covered_people
XM|姓名|VARCHAR(50)||name
SFZH|身份证号|VARCHAR(18)||id_no
BZJE|月保障金额|DECIMAL(10,2)|元|monthly_amount
SHR|审核人|VARCHAR(50)||"""
FARMS = """TYSHXYDM|统一社会信用代码|VARCHAR(18)||credit_code
MLBH|名录编号|VARCHAR(30)||directory_no
ZTLX|主体类型|CHAR(2)||entity_type
ZTMC|主体名称|VARCHAR(100)||name
JB|级别|CHAR(1)||level
CLRQ|成立日期|DATE||established_on
ZYCP|主营产品|VARCHAR(100)||products
ZT|状态|CHAR(1)||status
DZ|地址|VARCHAR(200)||location
FDDBR|法定代表人|VARCHAR(50)||operator_name
FRSFZH|法人身份证号|VARCHAR(18)||operator_id_no
CYS|成员数|INT||member_count
ZCZB|注册资本|DECIMAL(15,2)|单位：万元|capital
CZ|传真|VARCHAR(20)||"""
BUILD = """PZSBH|批准书编号|VARCHAR(30)||approval_no
PZWH|批准文号|VARCHAR(50)||document_no
SPZT|审批状态|CHAR(1)||status
PZRQ|批准日期|DATE||approved_on
YXQZ|有效期止|DATE||valid_to
PZJG|批准机关|VARCHAR(50)||approver
PZMJ|批准面积（㎡）|DECIMAL(10,2)||approved_area_m2
CZMJ|超占面积（㎡）|DECIMAL(10,2)||over_area_m2
PZCS|批准层数|INT||storeys
ZL|坐落|VARCHAR(200)||location
SQRXM|申请人姓名|VARCHAR(50)||applicant_name
SQRSFZH|申请人身份证号|VARCHAR(18)||applicant_id_no
JTRK|家庭人口|INT||household_size
SLRXM|受理人姓名|VARCHAR(50)||"""
GRAIN = """MXBH|明细编号|VARCHAR(32)||detail_id
BTLX|补贴类型|VARCHAR(4)||subsidy_type
BTND|补贴年度|CHAR(4)||year
ZJWH|资金文号|VARCHAR(50)||document_no
BTZT|补贴状态|CHAR(1)||status
XM|姓名|VARCHAR(50)||payee_name
SFZH|身份证号|VARCHAR(18)||payee_id_no
CBDMJ|承包地面积（亩）|DECIMAL(10,2)||contracted_mu
LZCMJ|流转出面积（亩）|DECIMAL(10,2)||let_out_mu
BTMJ|补贴面积（亩）|DECIMAL(10,2)||subsidised_mu
BTBZ|补贴标准|DECIMAL(10,2)|元|standard
BTJE|补贴金额|DECIMAL(10,2)|元|amount
YHZH|银行账号|VARCHAR(30)||account_tail
CZR|操作人|VARCHAR(30)||"""


def renamed(rows: str, **others: str) -> str:
    """The same columns under other names (name=NEW) and titles (name_=title)."""
    out = []
    for line in rows.splitlines():
        name, title, *rest = line.split("|")
        out.append("|".join([others.get(name, name), others.get(f"{name}_", title), *rest]))
    return "\n".join(out)


def bare(rows: str) -> str:
    """Without types and notes."""
    return "\n".join("|".join([*line.split("|")[:2], "", "", line.split("|")[4]]) for line in rows.splitlines())


VENDORS = [
    Vendor("members", "docx", "household_member", LONG, MEMBERS),
    Vendor("members in English", "docx", "household_member", ENGLISH,
           renamed(MEMBERS, GMSFHM="idCard", XM="personName", XB="gender", CSRQ="birthday", GMSFHM_="身份证号码", YHZGX_="户主关系")),
    Vendor("members without types", "xlsx", "household_member", BARE, bare(renamed(MEMBERS, HJDZ_="户籍详细地址"))),
    Vendor("homes", "docx", "homestead", LONG, HOMES),
    Vendor("homes printed", "pdf", "homestead", BACK, renamed(HOMES, DJSJ_="登簿时间", ZDDM_="宗地编码")),
    Vendor("homes, names back", "xlsx", "homestead", ("标识", "数据项名称", "格式", "值域"), renamed(HOMES, BDCQZH_="不动产权证书号")),
    Vendor("land", "docx", "contracted_land", LONG, LAND),
    Vendor("land printed", "pdf", "contracted_land", LONG, LAND),
    Vendor("land, lower case", "xlsx", "contracted_land", BACK, renamed(LAND, CBHTBM="cbhtbm", CBFMC="cbfmc", CBFMC_="承包方代表姓名")),
    Vendor("payments", "docx", "payment", LONG, PAID),
    Vendor("payments in English", "pdf", "payment", ENGLISH, renamed(PAID, LQRXM="payeeName", LQRSFZH="idCardNo", SFJE="paidAmount", ND="year")),
    Vendor("payments without types", "xlsx", "payment", BARE, bare(PAID)),
    Vendor("weddings", "docx", "marriage", LONG, WED),
    Vendor("weddings printed", "pdf", "marriage", BACK, WED),
    Vendor("aid", "docx", "assistance", LONG, AID),
    Vendor("aid without types", "xlsx", "assistance", BARE, bare(renamed(AID, JZZH_="低保证号"))),
    Vendor("farms", "docx", "agri_entity", BACK, FARMS),
    Vendor("approvals", "xlsx", "homestead_approval", LONG, BUILD),
    Vendor("approvals printed", "pdf", "homestead_approval", LONG, renamed(BUILD, PZSBH_="宅基地批准书号")),
    Vendor("grain", "docx", "subsidy", LONG, GRAIN),
]  # fmt: skip
