"""Chinese first, English second: sentences are written in Chinese and looked up in `locale/en.po`.

`_` marks and translates; errors carry their sentence and facts apart, so `show` can say them in either language. What was
kept or handed on as a finished sentence (a feed's state, a fault of a file) is told again by `retell`.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

LANGUAGES: Final = ("zh", "en")
language: ContextVar[str] = ContextVar("language", default="zh")

WORDS: Final = {
    "ok": "正常",
    "waiting": "待首采",
    "suspicious": "可疑",
    "denied": "被拒",
    "malformed": "应答异常",
    "unavailable": "连不上",
    "deferred": "顺延",
    "needs_person": "待核实",
    "misconfigured": "配置有误",
    "failed": "失败",
    "queued": "排队",
    "running": "进行中",
    "done": "完成",
    "county": "县局",
    "agency": "部门",
    "gateway": "网关",
    "chain": "链",
    "manual": "手动",
    "scheduled": "定时",
    "demo": "演示",
    "replay": "重放",
    "pushed": "推送",
    "repair": "更正",
    "held": "隔离",
    "returned": "已退回",
    "repaired": "已修复",
    "superseded": "来源已更正",
    "discarded": "已丢弃",
    "erased": "已擦除",
    "source": "来源",
    "mapping": "映射",
    "changed": "已变更",
    "gone": "已注销或不再提供",
    "spot_check": "抽样核查",
    "dispute": "本人异议",
    "corrected": "已更正",
    "upheld": "核实无误，维持原值",
    "withdrawn": "已撤回",
    "on_time": "按时",
    "due_soon": "将到期",
    "open": "未到期",
    "overdue": "逾期",
    "missing": "缺报",
    "made_up": "补报",
    "waived": "豁免",
    "not_connected": "未接入",
    "unverified": "未证实",
    "unverified_calendar": "日历未核实",
    "as_needed": "不定期",
    "long_running": "超时运行",
    "stuck": "卡住",
    "paused": "已暂停",
    "retired": "已停用",
    "drift": "字段有变",
    "stopped": "已停用",
    "cooling": "熔断",
    "unconfirmed": "未上链",
    "expiring": "将失效",
    "expired": "已失效",
    "unapproved": "未批准",
    "active": "可用",
    "locked": "已锁定",
    "barred": "暂停登录",
    "revoked": "已撤销",
    "undelivered": "送不出",
    "test": "测试",
    "实时更新": "实时更新",
    "每小时": "每小时",
    "每日": "每日",
    "每周": "每周",
    "每旬": "每旬",
    "每半月": "每半月",
    "每月": "每月",
    "每季度": "每季度",
    "每半年": "每半年",
    "每年": "每年",
    "不定期": "不定期",
    "一次性": "一次性",
    "SYSTEM": "系统",
    "MANUAL": "人工",
    "pending": "待确认",
    "unbuilt": "待成批",
    "versions": "版本",
    "contact": "联系",
    "as_of": "截至",
    "confirmed": "上链",
    "config": "配置",
    "dns": "域名",
    "tcp": "端口",
    "tls": "证书",
    "auth": "认证",
    "wsdl": "服务描述",
    "openapi": "接口描述",
    "table": "库表",
    "drop": "投放目录",
    "push": "推送",
    "read": "试读",
    "schema": "字段约束",
    "duty": "报送义务",
}
"""Codes of the store as people read them: states of feeds and runs, owners, reasons of runs, verdicts, channels, clocks, layers of `check`."""

_FACT: Final = re.compile(r"\{(\w+)(?::[^}]*)?\}")


@cache
def _catalogue(lang: str) -> dict[str, str]:
    if lang == "zh":
        return {}
    from babel.messages.pofile import read_po

    content = files("gateway").joinpath("locale", f"{lang}.po").read_bytes()
    return {str(m.id): str(m.string) for m in read_po(BytesIO(content)) if m.id and m.string}


@cache
def _templates(lang: str) -> list[tuple[re.Pattern[str], str]]:
    """Sentences with facts as patterns, the most telling first."""
    sentences = [(s, t) for s, t in _catalogue(lang).items() if _FACT.search(s)]
    sentences.sort(key=lambda pair: -len(_FACT.sub("", pair[0])))
    return [(_pattern(s), t) for s, t in sentences]


def _pattern(sentence: str) -> re.Pattern[str]:
    *texts, rest = re.split(r"\{\w+(?::[^}]*)?\}", sentence)
    names = _FACT.findall(sentence)
    return re.compile(
        "".join(f"{re.escape(t)}(?P<_{n}>.*?)" for t, n in zip(texts, names, strict=True)) + re.escape(rest), re.DOTALL
    )


def _(sentence: str) -> str:
    """The sentence in the language of this context; itself where a translation is missing."""
    return _catalogue(language.get()).get(sentence, sentence)


def word(code: str) -> str:
    """A code of the store as a word; itself where it is none of ours."""
    return _(WORDS.get(code, code))


def show(error: Exception) -> str:
    """An error of ours as a person reads it."""
    sentence, facts = getattr(error, "sentence", None), getattr(error, "facts", None)
    if isinstance(sentence, str) and isinstance(facts, dict):
        return _(sentence).format(**{name: _told(fact) for name, fact in facts.items()})
    return retell(str(error))


def retell(text: str) -> str:
    """A finished Chinese sentence in the language of this context; itself where no template of ours gave it."""
    lang = language.get()
    if (known := _catalogue(lang).get(text)) is not None:
        return known
    for pattern, translation in _templates(lang):
        if found := pattern.fullmatch(text):
            facts = {name[1:]: _told(fact) for name, fact in found.groupdict().items()}
            return _FACT.sub(lambda fact, facts=facts: str(facts[fact[1]]), translation)  # type: ignore[misc]
    return text


def _told(fact: object) -> object:
    """A fact may be a sentence itself, or a list of names."""
    return fact if not isinstance(fact, str) or language.get() == "zh" else retell(fact).replace("、", ", ")
