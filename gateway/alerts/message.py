"""What an alert says, in a reader's language; no personal data, for no verdict holds any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.i18n import _, language, retell, word

LINES: Final = 20
"""Alerts told one by one in one message; the rest is a number."""
OCCASIONS: Final = ("raised", "escalated", "recovered", "test")


@dataclass(frozen=True, slots=True)
class Line:
    """One alert."""

    id: int
    kind: str
    target: str
    code: str
    owner: str
    sentence: str
    action: str
    since: str
    """ISO, business clock."""


@dataclass(frozen=True, slots=True)
class Message:
    """Some alerts of one occasion, for one channel."""

    occasion: str
    lines: Sequence[Line]
    names: Mapping[str, str]
    """Codes of counties to their names."""

    def title(self) -> str:
        """One line."""
        if self.occasion == "test":
            return _("【数桥】测试消息")
        owners = {line.owner for line in self.lines}
        told = {
            "raised": _("【数桥】{count} 项需要{owner}处理") if len(owners) == 1 else _("【数桥】{count} 项需要处理"),
            "escalated": _("【数桥】{count} 项还没有人处理"),
            "recovered": _("【数桥】{count} 项已恢复"),
        }[self.occasion]
        return told.format(count=len(self.lines), owner=word(self.lines[0].owner))

    def body(self, most: int = LINES) -> list[str]:
        """A line an alert, `most` of them; what is over says since when it stood."""
        out = [self._told(line) for line in self.lines[:most]]
        if len(self.lines) > most:
            out.append(_("另有 {count} 项，见 shuqiao alerts").format(count=len(self.lines) - most))
        return out

    def _told(self, line: Line) -> str:
        where = self._where(line.target)
        sentence = _("；").join(map(retell, line.sentence.split("；")))
        if self.occasion == "test":
            return sentence
        if self.occasion == "recovered":
            return _("{where}：已恢复（{word}，自 {since}）").format(
                where=where, word=word(line.code), since=line.since[:16].replace("T", " ")
            )
        return _("{where}：{sentence}。{action}（{owner}，自 {since}）").format(
            where=where,
            sentence=sentence,
            action=retell(line.action),
            owner=word(line.owner),
            since=line.since[:16].replace("T", " "),
        )

    def _where(self, target: str) -> str:
        county, _slash, rest = target.partition("/")
        name = self.names.get(county)
        return f"{name} {rest}".strip() if name else target

    def as_dict(self) -> dict[str, Any]:
        """For machines: `version` changes when a member changes its meaning."""
        alerts = [
            {
                "id": line.id,
                "kind": line.kind,
                "target": line.target,
                "code": line.code,
                "owner": line.owner,
                "sentence": retell(line.sentence),
                "action": retell(line.action),
                "since": line.since,
            }
            for line in self.lines
        ]
        return {
            "version": 1,
            "occasion": self.occasion,
            "lang": language.get(),
            "title": self.title(),
            "alerts": alerts,
        }
