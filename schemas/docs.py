"""Writes `docs/schema.md` and the JSON Schemas from the field table; `--check` says whether they still are equal to it.

python -m schemas.docs [--check]
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from schemas import DATASETS
from schemas.codes import NAMES, code_list
from schemas.fields import Dataset, FieldSpec
from schemas.flags import flags, reasons

_SCHEMAS: Final = Path(__file__).parent / "jsonschema"
_DOCS: Final = Path(__file__).parents[1] / "docs"

_KINDS: Final = {
    "text": "文本",
    "name": "姓名",
    "id_no": "身份证号",
    "code": "代码",
    "date": "日期",
    "date_ahead": "日期（可在将来）",
    "open_date": "日期或长期",
    "month": "年月",
    "year": "年度",
    "area_m2": "面积",
    "area_m2_or_zero": "面积（可为零）",
    "area_mu": "面积",
    "area_mu_or_zero": "面积（可为零）",
    "money": "金额",
    "quantity": "数量",
    "count": "计数",
    "unit_no": "不动产单元号",
    "parcel_code": "宗地代码",
    "issuer_code": "发包方编码",
    "contractor_code": "承包方编码",
    "contract_code": "承包合同代码",
    "plot_code": "地块代码",
    "credit_code": "统一社会信用代码",
    "document_no": "文号",
    "cert_no": "证号",
    "division": "行政区划",
    "account_tail": "账号后四位",
    "ident": "编号",
}
_STATE: Final = {"state": "状态（最新一条有效）", "event": "事件（缺席不代表撤销）"}


def json_schema(dataset: Dataset) -> dict[str, Any]:
    """JSON Schema 2020-12 of a dataset's record, with what only the field table knows under `x-`."""
    schema = dataset.record.model_json_schema()
    for spec in dataset.fields.values():
        _enrich(_properties(schema, spec.part)[spec.name], spec)
    for part, stem in dataset.parts.items():
        schema["properties"][part] |= {"x-group": f"{stem}/*"}
        del schema["properties"][part]["title"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:shuqiao:schema:{dataset.name}:{dataset.version}",
        **schema,
        "title": dataset.title,
        "x-record-key": [list(alternative) for alternative in dataset.record_key],
        "x-match-key": [list(alternative) for alternative in dataset.match_key],
    }


def _properties(schema: dict[str, Any], part: str | None) -> dict[str, Any]:
    if part is None:
        found: dict[str, Any] = schema["properties"]
        return found
    name = schema["properties"][part]["items"]["$ref"].rpartition("/")[2]
    inner: dict[str, Any] = schema["$defs"][name]["properties"]
    return inner


def _enrich(node: dict[str, Any], spec: FieldSpec) -> None:
    of = spec.of
    node |= {"title": of.title, "x-sensitivity": of.level.value, "x-group": of.group, "x-required": of.required}
    if of.note:
        node["description"] = of.note
    if of.unit:
        node["x-unit"] = of.unit
    if of.codes:
        node["x-codes"] = of.codes
        text = next((branch for branch in node.get("anyOf", ()) if branch.get("type") == "string"), node)
        text["enum"] = list(code_list(of.codes).codes)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _fields(dataset: Dataset) -> list[str]:
    lines = [_row("字段", "中文名", "类型", "单位", "代码表", "敏感级", "披露组", "必填", "说明"), _row(*["---"] * 9)]
    for spec in dataset.fields.values():
        of = spec.of
        codes = f"[{of.codes}](#{of.codes})" if of.codes else ""
        group = f"{of.group}/n" if spec.part else of.group
        required = "是" if of.required else ""
        cells = (_KINDS[spec.kind], of.unit or "", codes, of.level.value, group, required, of.note)
        lines.append(_row(f"`{spec.path}`", of.title, *cells))
    return lines


def _key(alternatives: tuple[tuple[str, ...], ...]) -> str:
    return "，否则 ".join(" + ".join(f"`{f}`" for f in fields) for fields in alternatives)


def _dataset(dataset: Dataset) -> list[str]:
    subjects = "；".join(f"{role} = `{path}`" for role, path in dataset.subjects.items())
    indexes = "；".join(f"{k} = {' + '.join(f'`{f}`' for f in fields)}" for k, fields in dataset.indexes.items())
    return [
        f"## {dataset.title} `{dataset.name}`（版本 {dataset.version}）",
        "",
        f"- 记录主键：{_key(dataset.record_key)}",
        f"- 匹配键：{_key(dataset.match_key)}",
        f"- 主体：{subjects}",
        *([f"- 索引：{indexes}"] if indexes else []),
        f"- 性质：{_STATE[dataset.kind]}",
        f"- 所属周期：{'数据时点（as-of）' if dataset.period_by == 'as_of' else f'`{dataset.period_by}`'}",
        "",
        *_fields(dataset),
        "",
    ]


def _codes(name: str) -> list[str]:
    found = code_list(name)
    rows = [_row(f"`{code}`", title) for code, title in found.codes.items()]
    return [
        f"### {name}",
        "",
        f"{found.title}，依据：{found.source}。",
        "",
        _row("代码", "含义"),
        _row("---", "---"),
        *rows,
        "",
    ]


def _sentences(title: str, table: dict[str, dict[str, str]]) -> list[str]:
    rows = [_row(f"`{code}`", entry["zh"]) for code, entry in table.items()]
    return [f"## {title}", "", _row("代码", "含义"), _row("---", "---"), *rows, ""]


def markdown() -> str:
    """The whole of `docs/schema.md`."""
    lines = [
        "# 数据标准",
        "",
        "本页由字段表（`schemas/`）生成，请勿手改：`python -m schemas.docs`。",
        "",
        "日期为 `YYYY-MM-DD`，只精确到月的为 `YYYY-MM`；面积（m² 或亩）、金额（元）和数量固定两位小数；所有值均为文本或空。",
        "敏感级按 JR/T 0171：C2 为可识别个人身份与财产状况的信息，C1 为内部信息。披露组是可以单独出示并证明的最小单位。",
        "",
    ]
    for dataset in DATASETS.values():
        lines += _dataset(dataset)
    lines += _sentences("质量标记（记录保留）", flags())
    lines += _sentences("隔离原因（条目暂存，待部门处理）", reasons())
    lines += ["## 代码表", ""]
    for name in NAMES:
        lines += _codes(name)
    return "\n".join(lines).rstrip() + "\n"


def generated() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    out = {
        _SCHEMAS / f"{name}.json": json.dumps(json_schema(dataset), ensure_ascii=False, indent=2) + "\n"
        for name, dataset in DATASETS.items()
    }
    out[_DOCS / "schema.md"] = markdown()
    return out


def drifted() -> list[Path]:
    """Generated files that are missing, differ from the field table, or belong to no dataset any more."""
    files = generated()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return stale + [path for path in _SCHEMAS.glob("*.json") if path not in files]


def main(arguments: list[str]) -> int:
    """0: written, or equal under `--check`; 1: drift; 2: wrong usage."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m schemas.docs [--check]\n")
        return 2
    if arguments:
        stale = drifted()
        sys.stderr.writelines(f"与字段表不一致：{path.name}\n" for path in stale)
        return 1 if stale else 0
    _SCHEMAS.mkdir(exist_ok=True)
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
