"""Which column feeds which field, how sure that is, and why not: a proposal, never a decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from gateway.discover.columns import Column, Found, words
from gateway.discover.signs import MEASURED, MONEY, Signs, code_pairs, spec_of, titles, unit_of, weigh
from schemas import DATASETS
from schemas.codes import lookup

LEAST: Final = 3
"""Score below which nothing is proposed."""
THIN: Final = 1.15
"""How much better the best dataset must fit than the next one, to be taken without a remark."""


@dataclass(slots=True)
class Line:
    """One line of the mapping. Sample values are never in it."""

    path: str
    column: str
    title: str = ""
    each: str = ""
    unit: str | None = None
    const: str | None = None
    codes: dict[str, str] = field(default_factory=dict)
    sure: bool = True
    why: list[str] = field(default_factory=list)
    """What it is unsure of."""


@dataclass(slots=True)
class Proposal:
    """Everything that a stanza is written from."""

    dataset: str
    lines: list[Line]
    missing: list[str]
    """Required fields that no column feeds."""
    unused: list[str]
    """Columns that feed nothing."""
    remarks: list[str]
    found: Found

    def as_dict(self) -> dict[str, Any]:
        """Without a value of the documents."""
        lines = [asdict(line) for line in self.lines]
        return {
            "dataset": self.dataset,
            "mapping": lines,
            "missing": self.missing,
            "unused": self.unused,
            "remarks": self.remarks,
        }


def propose(found: Found, dataset: str = "") -> Proposal:
    """The best fitting dataset, or the one that is given, and its mapping."""
    fits = {name: _matched(found.columns, name) for name in ([dataset] if dataset else DATASETS)}
    scores = {name: _fit(fits[name], name, found.text) for name in fits}
    best, *others = sorted(scores, key=lambda name: -scores[name])
    remarks = list(found.remarks)
    if others and scores[best] < THIN * scores[others[0]]:
        remarks.append(f"也可能是 {others[0]}（{DATASETS[others[0]].title}），请核对，不对的用 --dataset 写明")
    matched = fits[best]
    lines = [_line(column, best, path, signs) for path, (column, signs) in matched.items()]
    for element, constants in words()["roles"].get(best, {}).items():
        if any(path.startswith(f"{element}.") for path in matched):
            lines += [Line(path, "", const=value) for path, value in constants.items()]
    order = list(titles(best))
    lines.sort(key=lambda line: order.index(line.path) if line.path in order else order.index(_leaf(line.path)))
    paths = {line.path for line in lines} | {_leaf(line.path) for line in lines}
    parts = {path.partition(".")[0] for path in paths if "." in path}
    missing = [
        path
        for path, spec in DATASETS[best].fields.items()
        if spec.of.required and path not in paths and (spec.part is None or spec.part in parts)
    ]
    used = {(line.each, line.column) for line in lines}
    unused = [c.name for c in found.columns if (c.each, c.name) not in used]
    return Proposal(best, lines, missing, unused, remarks, found)


def _leaf(path: str) -> str:
    return ".".join(step for step in path.split(".") if not step.isdigit())


def _matched(columns: list[Column], dataset: str) -> dict[str, tuple[Column, Signs]]:
    """Pairs in the order of their scores, each column and each field once; what is claimed twice is sure for neither."""
    pairs = [
        (signs.score, -at, path, column, signs)
        for at, column in enumerate(columns)
        for path in titles(dataset)
        if _fits(column, dataset, path) and (signs := weigh(column, dataset, path)).score >= LEAST
    ]
    pairs.sort(key=lambda pair: pair[:2], reverse=True)
    out: dict[str, tuple[Column, Signs]] = {}
    taken: dict[int, int] = {}
    for score, _, path, column, signs in pairs:
        if path not in out and id(column) not in taken:
            out[path], taken[id(column)] = (column, signs), score
    rivals = {
        path
        for score, _, path, column, signs in pairs
        if path in out and column is not out[path][0] and signs.sure and score >= out[path][1].score
    }
    return {
        path: (c, Signs(s.title, s.name, s.shape, s.formed, True) if path in rivals else s)
        for path, (c, s) in out.items()
    }


def _fits(column: Column, dataset: str, path: str) -> bool:
    """A member of a list feeds a part's field, and only a part whose other members stand there."""
    spec = spec_of(dataset, path)
    numbered = any(step.isdigit() for step in path.split("."))
    if column.each:
        return spec.part is not None and not numbered
    indexed = any(p.startswith(f"{spec.part}.0.") for p in titles(dataset)) if spec.part else False
    return numbered or not indexed


def _fit(matched: dict[str, tuple[Column, Signs]], dataset: str, text: str) -> float:
    """How well a dataset explains the columns: what matches, less what is required and absent."""
    paths = {_leaf(path) for path in matched}
    absent = sum(s.of.required and s.part is None and p not in paths for p, s in DATASETS[dataset].fields.items())
    said = 15 * (DATASETS[dataset].title in text)
    return sum(max(signs.score, 0) for _, signs in matched.values()) - 4 * absent + said


def _line(column: Column, dataset: str, path: str, signs: Signs) -> Line:
    line = Line(path, column.name, column.title, column.each, sure=signs.sure)
    spec = spec_of(dataset, path)
    if signs.against:
        line.why.append("样例值或类型与这个字段不符，或另有一列也像它")
    elif not signs.sure:
        line.why.append(_weak(signs))
    unit = unit_of(column)
    if spec.kind in MEASURED:
        line.unit = unit if (unit in MONEY) == (spec.kind == "money") else None
        if unit is None:
            line.sure = False
            line.why.append(f"没有写单位，按{spec.of.unit}算")
    if spec.of.codes is not None:
        _codes(line, column, spec.of.codes)
    return line


def _weak(signs: Signs) -> str:
    if signs.title == "synonym":
        return "只有名称相近，没有别的佐证"
    if signs.title == "part":
        return "名称只有一部分相同"
    return "只从列名的拼音或英文猜的" if signs.name else "只看值的样子像"


def _codes(line: Line, column: Column, name: str) -> None:
    accepted = lookup(name)
    pairs = code_pairs(column)
    known = {code: accepted[text] for code, text in pairs.items() if text in accepted}
    if strange := [code for code in pairs if code not in known]:
        line.sure = False
        line.why.append(f"代码 {'、'.join(strange)} 的含义不在标准代码表里，请补上")
    if any(accepted.get(code) != canonical for code, canonical in known.items()):
        line.codes = known
    if not pairs:
        bare = not column.values or any(v.isascii() for v in column.values)
        if bare:
            line.sure = False
            line.why.append("文件里没有写代码的含义，请向厂商核对")
