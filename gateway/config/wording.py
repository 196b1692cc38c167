"""What is wrong with a file, in words for the person who wrote it: what a parser or a model says becomes one Chinese sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from ruamel.yaml.error import MarkedYAMLError

from gateway.config.shapes import choices, follow, keys

_SYNTAX: Final = (
    (r"mapping values are not allowed", "这里不该有冒号；请核对缩进，含冒号的文本请加引号"),
    (r'found duplicate key "(?P<key>[^"]*)"', "键 {key} 写了两次，请删去一处"),
    (r"found character '\\t'", "缩进请用空格，不能用制表符"),
    (r"found character '(?P<sign>[@`%])'", "文本不能以 {sign} 开头，请加引号"),
    (r"expected ',' or '(?P<sign>[\]}])'", "这里应为逗号或 {sign}；括号要合上，含冒号的文本要加引号"),
    (r"unexpected end of stream", "引号没有合上"),
    (r"expected <block end>", "缩进与上文不齐"),
    (r"could not find expected ':'", "键的后面缺少冒号"),
    (r"found undefined alias", "文本不能以 * 开头，请加引号"),
    (r"found another document", "一个文件只能有一份内容，请删去 ---"),
)
"""What ruamel says of the slips that people make, and what they can do about each."""

_FORMS: Final = {
    r"^[a-z][a-z0-9_-]{0,40}$": "应以小写字母开头，只用小写字母、数字、下划线和短横",
    r"^\d{2}:\d{2}-\d{2}:\d{2}$": "应写成起止时刻，如 06:00-22:00",
}
_TYPES: Final = {
    "string_type": '应为文本，请加引号，写成 "{input}"',
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "date_type": "应为日期，如 2027-12-31",
    "date_parsing": "应为日期，如 2027-12-31",
    "date_from_datetime_parsing": "应为日期，如 2027-12-31",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "string_too_short": "至少要写 {min_length} 个字",
}
UNKNOWN_KEY: Final = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
"""What pydantic calls an unknown key: of a model, of a dataclass."""
_SHAPES: Final = {
    "model_type": "这里应有下级的键，写成“键: 值”",
    "dict_type": "这里应有下级的键，写成“键: 值”",
    "mapping_type": "这里应有下级的键，写成“键: 值”",
    "model_attributes_type": "这里应有下级的键，写成“键: 值”",
    "dataclass_type": "这里应有下级的键，写成“键: 值”",
    "invalid_key": "键应为文本，请加引号",
    "list_type": "这里应为列表，写成 [甲, 乙]",
    "tuple_type": "这里应为列表，写成 [甲, 乙]",
}


def of_syntax(error: MarkedYAMLError) -> str:
    """One sentence for text that is no YAML. Never quotes a value: it may be a secret put in the wrong place."""
    for pattern, sentence in _SYNTAX:
        if found := re.search(pattern, str(error.problem)):
            return f"YAML 语法不对：{sentence.format(**found.groupdict())}"
    return "YAML 语法不对；请核对这里的缩进、引号和括号"


def of_value(model: type[BaseModel], detail: ErrorDetails) -> str:
    """One sentence for a value that a model refuses: what is wrong, and what is allowed."""
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in UNKNOWN_KEY:
        allowed = keys_at(model, detail["loc"][:-1])
        near, known, beyond = hint(str(detail["loc"][-1]), allowed), "、".join(allowed), getattr(model, "beyond", "")
        return f"没有这个键。{near}可用的有：{known}。{beyond}" if beyond else f"没有这个键。{near}可用的有：{known}"
    if kind == "missing":
        return "缺少这个键"
    if kind == "union_tag_not_found":
        return f"缺少这个键。可用的有：{'、'.join(choices(follow(model, detail['loc']).annotation))}"
    if kind in ("literal_error", "enum", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", str(context.get("expected") or context["expected_tags"]))
        given = context.get("tag", given)
        return f"“{given}”不在可用值内。{hint(str(given), allowed)}可用的有：{'、'.join(allowed)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"“{given}”写法不对，{_FORMS.get(context['pattern'], '应符合 ' + context['pattern'])}"
    if kind in _SHAPES:
        return _SHAPES[kind]
    if isinstance(given, (dict, list)):
        return "这里应为一个值，不是列表，也没有下级的键"
    sentence = _TYPES[kind].format(input=given, **context) if kind in _TYPES else detail["msg"]
    return "这里没有写值，" + sentence.partition("，")[0] if given is None else f"{given} 不合规：{sentence}"


def hint(given: str, allowed: Sequence[str]) -> str:
    """A question that names the nearest of what is allowed; empty where nothing is near."""
    close = get_close_matches(given, allowed, n=1)
    return f"是不是 {close[0]}？" if close else ""


def keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Keys that may stand at `loc`: under a profile or a kind, those of this one."""
    return keys(follow(model, loc).annotation)
