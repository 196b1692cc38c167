"""How a report reads: the same content as its JSON, put into words, tables and thirty seconds. Pure."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import segno

Doc = Mapping[str, Any]
Row = list[str]

_MARRY: Final = {"married": "data", "divorced": "none", "widowed": "none", "no_record": "unknown"}
_CHANNEL: Final = {"SYSTEM": "系统直连", "MANUAL": "手工报送"}


def view(document: Doc, digest: str, families: Sequence[str]) -> dict[str, Any]:
    """What the template shows of a report. `digest`: SHA-256 of its JSON, hex."""
    facts = {fact["id"]: fact for fact in document["facts"]}
    sections = [_section(s, facts) for s in document["sections"]]
    sections += [_sources(document), _discrepancies(document), _notes(document)]
    return {
        "title": document["title"],
        "number": document["number"],
        "at": _time(document["at"]),
        "as_of": (document["as_of"] or "—")[:10],
        "submitter": document["submitter"],
        "families": list(families),
        "qr": _qr(f"{document['number']} {digest}"),
        "head": [list(pair) for pair in _head(document)],
        "watermark": f"{document['institution']['title']} {document['institution']['user']} {document['at'][:10]}",
        "footer": f"报告指纹 {digest[:16]}…{digest[-8:]}，数据与证明随附于本文件",
        "summary": _summary(document, facts),
        "sections": sections,
    }


def _qr(text: str) -> str:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", border=0, dark="#1c2733", xmldecl=False)
    return out.getvalue().decode()


def _time(text: str) -> str:
    return text[:16].replace("T", " ")


def _head(document: Doc) -> list[tuple[str, str]]:
    institution, consent = document["institution"], document["consent"]
    return [
        ("核查对象", f"{document['subject']['name']}　{document['subject']['id_no']}"),
        ("查询机构", f"{institution['title']}（{institution['user']}）"),
        ("查询目的", document["purpose"]["title"]),
        ("授权编号", consent["handle"]),
        ("授权范围", "、".join(consent["classes"])),
        ("出具单位", document["submitter"]),
    ]


def _summary(document: Doc, facts: Mapping[str, Doc]) -> list[dict[str, str]]:
    by_id = {s["id"]: s for s in document["sections"]}

    def line(id_: str, label: str, told: Callable[[Doc], tuple[str, str, str]]) -> dict[str, str]:
        section = by_id[id_]
        if section["state"] == "unknown":
            return {
                "label": label,
                "text": "",
                "tone": "unknown",
                "mark": f"{section['state_title']}·{section['why_title']}",
            }
        if section["state"] == "none" and id_ not in ("marriage", "traits"):
            return {"label": label, "text": "", "tone": "none", "mark": section["state_title"]}
        text, tone, mark = told(section)
        return {"label": label, "text": text, "tone": tone, "mark": mark}

    count = len(document["discrepancies"]) + len(document.get("disputes", ()))
    late = [s["title"] for s in document["sections"] if s.get("stale")]
    return [
        line("subject", "身份", _identity),
        line("household", "家庭", lambda s: (f"在册 {s['derived']['members']} 人", "", "")),
        line("marriage", "婚姻", _marriage),
        line("real_estate", "宅基地", lambda s: _land(s, facts)),
        line("contracted_land", "承包地", lambda s: _contracts(s, facts)),
        line("subsidy", "农业补贴", lambda s: (_nets_text(s), "", "")),
        line("payment", "一卡通", lambda s: (_nets_text(s), "", "")),
        line("traits", "经营主体", lambda s: (_traits_text(s), "", "")),
        {
            "label": "差异提示",
            "text": "" if count else "各部门数据未见矛盾",
            "tone": "alert" if count else "",
            "mark": f"{count} 处，见第 11 节" if count else "",
        },
        {
            "label": "数据时效",
            "text": "、".join(late) if late else "所列数据的报送均未逾期",
            "tone": "alert" if late else "",
            "mark": "来源逾期，见第 10 节" if late else "",
        },
    ]


def _identity(section: Doc) -> tuple[str, str, str]:
    agrees = section["derived"]["name_agrees"]
    return ("姓名与公安户籍登记一致", "data", "一致") if agrees else ("姓名与公安户籍登记不一致", "alert", "不一致")


def _marriage(section: Doc) -> tuple[str, str, str]:
    d = section["derived"]
    text = f"自 {d['since']}" if d["since"] else ""
    text += f"，配偶 {d['partner']}" if d["partner"] and text else ""
    if d["register_differs"]:
        return text, "alert", f"{d['title']}，与户籍自报不一致"
    return text, _MARRY[d["status"]], d["title"]


def _land(section: Doc, facts: Mapping[str, Doc]) -> tuple[str, str, str]:
    rights = [f for id_ in section["facts"] if (f := facts[id_])["dataset"] == "homestead"]
    current = [f for f in rights if _value(f, "right_status") == "1"]
    areas = "、".join(f"{a} m²" for f in current if (a := _value(f, "land_area_m2")))
    seized = any(_value(f, "seized") == "1" for f in current)
    approvals = len(section["facts"]) - len(rights)
    text = (
        f"现势权利 {len(current)} 宗"
        + (f"（{areas}）" if areas else "")
        + (f"，审批 {approvals} 件" if approvals else "")
    )
    return (text, "alert", "有查封") if seized else (text, "", "")


def _contracts(section: Doc, facts: Mapping[str, Doc]) -> tuple[str, str, str]:
    areas = "、".join(f"{a} 亩" for id_ in section["facts"] if (a := _value(facts[id_], "area_mu")))
    return f"合同 {len(section['facts'])} 份" + (f"（{areas}）" if areas else ""), "", ""


def _nets_text(section: Doc) -> str:
    years: dict[str, float] = {}
    for net in section["derived"]["nets"]:
        years[net["year"]] = years.get(net["year"], 0) + float(net["paid"])
    return "；".join(f"{year} 年 {total:,.2f} 元" for year, total in sorted(years.items(), reverse=True))


def _traits_text(section: Doc) -> str:
    held = [t["title"] for t in section["derived"]["traits"] if t["held"]]
    return "、".join(held) or "五类特征均已核查，无"


def _value(fact: Doc, path: str) -> str | None:
    return next((f["value"] for f in fact["fields"] if f["path"] == path), None)


def _text(fact: Doc, path: str) -> str:
    found = next((f for f in fact["fields"] if f["path"] == path), None)
    return (found["text"] if found else None) or "—"


_TABLES: Final[dict[str, tuple[tuple[str, int, str, str], ...]]] = {
    "household_member": (
        ("户号", 2, "l", "household_no"),
        ("与户主关系", 1, "l", "relation_to_head"),
        ("户籍地址", 4, "l", "register_address"),
        ("户口性质", 1, "l", "register_kind"),
    ),
    "marriage": (
        ("业务类型", 1, "l", "op_type"),
        ("登记日期", 1, "l", "op_date"),
        ("证字号", 2, "l", "cert_no"),
        ("登记机关", 3, "l", "dept_name"),
    ),
    "homestead": (
        ("不动产单元号", 4, "l", "unit_no"),
        ("权利类型", 3, "l", "right_type"),
        ("状态", 1, "l", "right_status"),
        ("用地 m²", 1, "r", "land_area_m2"),
        ("建筑 m²", 1, "r", "building_area_m2"),
        ("查封", 1, "l", "seized"),
    ),
    "homestead_approval": (
        ("批准书编号", 3, "l", "approval_no"),
        ("批准日期", 2, "l", "approved_on"),
        ("状态", 2, "l", "status"),
        ("批准 m²", 1, "r", "approved_area_m2"),
        ("超占 m²", 1, "r", "over_area_m2"),
    ),
    "contracted_land": (
        ("合同代码", 3, "l", "contract_code"),
        ("方式", 1, "l", "way"),
        ("期限起", 2, "l", "valid_from"),
        ("期限止", 2, "l", "valid_to"),
        ("面积 亩", 1, "r", "area_mu"),
        ("地块", 1, "r", "plot_count"),
    ),
    "agri_entity": (
        ("主体名称", 3, "l", "name"),
        ("类型", 2, "l", "entity_type"),
        ("级别", 1, "l", "level"),
        ("状态", 1, "l", "status"),
        ("认定日期", 2, "l", "recognised_on"),
        ("土地 亩", 1, "r", "land_mu"),
    ),
    "assistance": (
        ("救助类型", 2, "l", "kind"),
        ("起始年月", 1, "l", "since"),
        ("终止年月", 1, "l", "until"),
        ("所属月份", 1, "l", "period"),
    ),
}
_NETS: Final = (
    ("年度", 1, "l"),
    ("项目", 3, "l"),
    ("已发 元", 2, "r"),
    ("笔数", 1, "r"),
    ("追回 元", 2, "r"),
    ("待发/失败", 2, "r"),
)


def _section(section: Doc, facts: Mapping[str, Doc]) -> dict[str, Any]:
    shown = [facts[id_] for id_ in section["facts"]]
    state = section["state_title"] + (f"·{section['why_title']}" if section["why_title"] else "")
    state += "·来源逾期" if section.get("stale") else ""
    return {
        "number": section["number"],
        "title": section["title"],
        "tone": "alert" if section.get("stale") else section["state"],
        "state": state,
        "lines": _lines(section) + _withheld(section, shown),
        "tables": _tables(section, shown),
        "origin": _origin(shown),
    }


def _lines(section: Doc) -> list[str]:
    derived = section["derived"]
    match section["id"], derived:
        case _, None:
            return []
        case "household", _:
            minors = int(derived["minors"])
            told = "；".join(f"{m['relation']} {m['name']}（{m['born'] or '—'} 年生）" for m in derived["people"])
            note = f"；另有十四周岁以下 {minors} 人，依法不列示" if minors else ""
            return [f"在册 {derived['members']} 人：{told}{note}。其他成员姓名已脱敏。"]
        case "marriage", _:
            sure = "" if derived["sure"] or derived["status"] == "no_record" else "（依据补发证件推定，建议核实）"
            return [f"结论：{derived['title']}{sure}"]
        case "traits", _:
            return ["　".join(f"{t['title']}：{t['text']}" for t in derived["traits"])]
    return []


def _withheld(section: Doc, shown: Sequence[Doc]) -> list[str]:
    """What is left out for being late, where the section is not left out whole."""
    names = [w["title"] for w in section.get("withheld", ())] if section["state"] != "unknown" else []
    fields = dict.fromkeys(f"{fact['title']}的部分内容" for fact in shown if fact.get("withheld"))
    left_out = "、".join([*names, *fields])
    return [f"来源逾期，按约定不予提供：{left_out}。"] if left_out else []


def _tables(section: Doc, shown: Sequence[Doc]) -> list[dict[str, Any]]:
    derived = section["derived"]
    if derived and "nets" in derived:
        rows = [
            [n["year"], n["title"], n["paid"], n["payments"], n["recovered"], f"{n['pending']}/{n['failed']}"]
            for n in derived["nets"]
        ]
        return [_table([(c, w, a) for c, w, a in _NETS], rows)]
    out = []
    for dataset, columns in _TABLES.items():
        rows = [[_text(fact, path) for *_, path in columns] for fact in shown if fact["dataset"] == dataset]
        if rows and section["id"] != "household":
            out.append(_table([(title, width, align) for title, width, align, _ in columns], rows))
    return out


def _table(columns: Sequence[tuple[str, int, str]], rows: list[Row]) -> dict[str, Any]:
    return {
        "columns": [c for c, _, _ in columns],
        "widths": [w for _, w, _ in columns],
        "align": [a for *_, a in columns],
        "rows": rows,
    }


def _origin(shown: Sequence[Doc]) -> str:
    """Where a section's facts come from, each source once."""
    if not shown:
        return ""
    sources = dict.fromkeys((f["agency"], _CHANNEL[f["channel"]], f["frequency"]) for f in shown)
    newest = max(f["as_of"] for f in shown)[:10]
    told = "；".join(f"{agency}（{channel}，{frequency}）" for agency, channel, frequency in sources)
    unproven = sum(f["proof"] is None for f in shown)
    waiting = f"；{unproven} 条尚待上链确认" if unproven else "；均已上链，证明随附"
    flags = dict.fromkeys(flag["title"].rstrip("。") for f in shown for flag in f["flags"])
    late = dict.fromkeys(f["freshness"]["title"] for f in shown if f.get("freshness", {}).get("stale"))
    judged = f"；报送{'、'.join(late)}，现况可能不同" if late else ""
    return f"来源：{told}，最新 {newest}{judged}{waiting}" + (f"。提示：{'；'.join(flags)}" if flags else "")


def _sources(document: Doc) -> dict[str, Any]:
    columns = (
        ("数据资源", 6, "l"),
        ("提供部门", 7, "l"),
        ("更新周期", 4, "l"),
        ("渠道", 4, "l"),
        ("数据截至", 5, "l"),
        ("时效", 3, "l"),
        ("实测准确率", 8, "l"),
        ("条数", 2, "r"),
    )
    rows = [
        [
            *(s["title"], s["agency"], s["frequency"], _CHANNEL[s["channel"]], (s["as_of"] or "—")[:10]),
            *(s.get("freshness", {}).get("title") or "—", _accuracy(s.get("accuracy")), s["facts"]),
        ]
        for s in document["sources"]
    ]
    return _plain("10", "数据来源与时效", [], [_table(columns, rows)] if rows else [])


def _accuracy(found: Doc | None) -> str:
    """What spot checks found of a source, with the 95 % interval and how many values it rests on."""
    if found is None:
        return "未抽查"
    share, low, high = (f"{float(found[name]) * 100:.1f}" for name in ("share", "low", "high"))
    return f"{share}%（{low}–{high}，{found['checked']} 项）"


def _discrepancies(document: Doc) -> dict[str, Any]:
    found = document["discrepancies"] + [_dispute(d) for d in document.get("disputes", ())]
    if not found:
        return _plain("11", "差异与提示", ["各部门数据之间未见矛盾。"], [])
    rows = [[d["title"], "；".join(f"{v['where']}：{v['value'] or '—'}" for v in d["values"])] for d in found]
    return _plain(
        "11",
        "差异与提示",
        [],
        [_table((("事项", 2, "l"), ("各方数据", 4, "l")), rows)],
        tone="alert",
        state=f"{len(found)} 处",
    )


def _dispute(told: Doc) -> dict[str, Any]:
    """An open dispute as the table of contradictions shows it."""
    values = [{"where": "提出", "value": told["opened_at"][:10]}, {"where": "最迟答复", "value": told["due_on"]}]
    return {"title": f"有异议，核查中——{told['title']}", "values": values}


def _notes(document: Doc) -> dict[str, Any]:
    return _plain("12", "说明与异议渠道", [f"{i}. {note}" for i, note in enumerate(document["notes"], 1)], [])


def _plain(
    number: str, title: str, lines: list[str], tables: list[dict[str, Any]], *, tone: str = "none", state: str = "说明"
) -> dict[str, Any]:
    return {
        "number": number,
        "title": title,
        "tone": tone,
        "state": state,
        "lines": lines,
        "tables": tables,
        "origin": "",
    }
