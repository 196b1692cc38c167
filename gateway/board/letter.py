"""A reminder 催报 to an agency; Chinese in every language, for the agency reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.freshness import Standing
from gateway.quarantine import Cause
from schemas import DATASETS
from schemas.flags import title


@dataclass(frozen=True, slots=True)
class Letter:
    """A reminder 催报 with the way to the agency's page. Chinese in every language: the agency reads it."""

    agency: str
    standings: Sequence[Standing]
    causes: Sequence[Cause]
    address: str
    until: str
    """The last day on which the address opens."""

    def text(self) -> str:
        owed = [
            f"{n}. {DATASETS[s.dataset].title}：{s.sentence}"
            for n, s in enumerate((s for s in self.standings if s.owner == "agency"), 1)
        ]
        held = [
            f"{n}. {DATASETS[c.dataset].title}：{title(c.reason)}（{c.rows:,} 行）"
            for n, c in enumerate(self.causes, 1)
        ]
        parts = [f"{self.agency}："]
        parts += ["贵单位承诺报送的数据，现在需要处理的有：", *owed] if owed else ["贵单位承诺报送的数据目前没有欠报。"]
        parts += ["下列各行未能采用，请核对更正：", *held] if held else []
        parts += [f"请在 {self.until} 前打开下面的地址查看、下载、交回，不必登录，请勿转给他人：", self.address]
        return "\n".join(parts)
