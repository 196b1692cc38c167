"""What an agency is told of rows that go back to it (退回): a Chinese letter in every language, for the agency reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gateway.quarantine.terms import Terms
from schemas.flags import title


def notice(terms: Terms, rows: Sequence[Any], note: str) -> str:
    """Counts and reasons, the most frequent first; nobody by name."""
    causes = Counter((row.reason, terms.title(row.field)) for row in rows)
    told = [
        f"{n}. {field}{'：' if field else ''}{title(reason)}（{count:,} 行）"
        for n, ((reason, field), count) in enumerate(causes.most_common(), 1)
    ]
    what = f"贵单位报送的{terms.county}“{terms.dataset.title}”有 {len(rows):,} 行未能采用，现退回，请核对更正。"
    last = "更正后请在业务系统中改好重新报送，或在附表中改好交回。"
    return "\n".join([f"{terms.agency}：{what}", *told, f"说明：{note}", last])
