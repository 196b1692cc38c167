"""县级人工报送: spreadsheets whose headings are the Chinese titles of the field table, for every dataset (DESIGN §2, channel)."""

from collections.abc import Mapping
from typing import ClassVar, Final

from adapters.kit import FieldRule, UploadAdapter, UploadStream
from schemas import DATASETS, Dataset

SYNONYMS: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(words.split())
    for words in (
        "公民身份号码 身份证号 身份证号码 身份证 证件号 证件号码 身份证件号",
        "姓名 户主姓名 领款人 领款人姓名 农户姓名",
        "户号 户编号 家庭编号",
        "户籍地址 住址 家庭住址",
        "不动产权证号 不动产权证书号 权证号 证书号",
        "权利人 权利人姓名 使用权人",
        "使用权面积 宗地面积 宅基地面积 土地面积",
        "建筑面积 房屋建筑面积",
        "登记时间 登记日期 发证日期",
        "坐落 地址 位置",
        "申请人 申请人姓名",
        "申请人身份证号 身份证号 身份证号码 证件号码",
        "补贴金额 实发金额 金额 发放金额",
        "补贴年度 年度 年份",
        "补贴项目名称 项目名称 补贴名称",
        "批次明细ID 明细编号 明细ID 序列号",
        "发放状态 状态 补贴状态",
        "救助证号 低保证号 证号",
        "月保障金额 保障金额 月补助金额",
        "统一社会信用代码 信用代码 社会信用代码",
        "主体名称 名称 经营主体名称 单位名称",
        "负责人 法定代表人 法人代表 经营者",
        "负责人身份证号 身份证号 法人身份证号",
        "承包合同代码 合同编号 合同代码",
        "承包方名称 承包方姓名 承包方代表",
        "承包方证件号码 承包方身份证号 身份证号",
        "乡镇村区划 行政区划 区划代码 区划",
        "银行账号 账号 银行卡号",
    )
)
"""Headings of which clerks use one for another. A word that could mean two headings of one dataset means neither."""
SPOUSES: Final = (("man", "男方"), ("woman", "女方"))


def headings(dataset: Dataset) -> dict[str, str]:
    """Canonical path -> heading. Two spouses have columns each; other parts list their elements in one cell, joined by 、."""
    out: dict[str, str] = {}
    for path, spec in dataset.fields.items():
        if spec.part != "parties":
            out[path] = spec.of.title
        elif spec.name != "role":
            out |= {f"parties.{n}.{spec.name}": f"{who}{spec.of.title}" for n, (_, who) in enumerate(SPOUSES)}
    return out


def _stream(dataset: Dataset) -> UploadStream:
    named = headings(dataset)
    mapping: dict[str, FieldRule | str] = {}
    for path, heading in named.items():
        spec = dataset.fields[".".join(step for step in path.split(".") if not step.isdigit())]
        unit = {"unit": spec.of.unit} if spec.of.unit in {"m²", "亩"} else {}
        split = {"split": ","} if spec.part and spec.part != "parties" else {}
        mapping[path] = FieldRule(from_=heading, **unit, **split) if unit or split else heading
    if "parties.role" in dataset.fields:
        mapping |= {f"parties.{n}.role": FieldRule(const=role) for n, (role, _) in enumerate(SPOUSES)}
    key = dataset.record_key[0] if len(dataset.record_key) == 1 else ()
    needed = {path for path, spec in dataset.fields.items() if spec.of.required} | set(key)
    required = tuple(heading for path, heading in named.items() if path in needed)
    return UploadStream(mapping=mapping, required=required, synonyms=_synonyms(set(named.values())))


def _synonyms(known: set[str]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for group in SYNONYMS:
        for heading in group & known:
            for word in group - known:
                found.setdefault(word, set()).add(heading)
    return {word: next(iter(meant)) for word, meant in found.items() if len(meant) == 1}


class CountyUpload(UploadAdapter):
    name = "county_upload"
    title = "县级人工报送"
    streams: ClassVar[Mapping[str, UploadStream]] = {name: _stream(dataset) for name, dataset in DATASETS.items()}
