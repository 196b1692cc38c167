"""Whether the codes of a feed's rows mean what was agreed (china-facts §2.8).

A code list agreed wrongly, or swapped by a vendor overnight, makes no single bad row: every code is valid and every record
wrong. What a dataset says of a whole batch (`Dataset.sanities`) is asked of each page; a page of which half or more contradicts is
held back whole as DICT_MISMATCH, and so is what follows, until a page contradicts that doubt or the rules are mended.
"""

from __future__ import annotations

from typing import Final

from adapters.kit import Translated
from gateway.errors import NeedsPerson
from gateway.store import Tx
from schemas import Dataset

REASON: Final = "DICT_MISMATCH"
LEAST: Final = 3
"""Rows that must be able to tell before a first doubt: two changed households prove nothing."""


class Dictionaries:
    """The doubts about one feed's code lists, under its present rules."""

    def __init__(self, dataset: Dataset, doubted: str | None) -> None:
        self._dataset, self.doubted = dataset, doubted

    @classmethod
    def of(cls, tx: Tx, feed_id: int, rules_id: int, dataset: Dataset) -> Dictionaries:
        """With the doubt that quarantine still holds."""
        return cls(dataset, tx.value("quarantine_doubted", feed_id=feed_id, rules_id=rules_id))

    def judge(self, t: Translated) -> Translated:
        """The page as it was, or refused whole."""
        if not t.positions:
            return t
        for sanity in self._dataset.sanities:
            told, broken = sanity.judge(t.column)
            trusted = broken * 2 < told if told else self.doubted != sanity.path
            if not trusted and (told >= LEAST or self.doubted == sanity.path):
                self.doubted = sanity.path
                return t.refused(REASON, sanity.path)
        return t


def mismatch(dataset: Dataset, path: str, feed: str) -> NeedsPerson:
    """What a person is told while pages are held back."""
    return NeedsPerson(
        "“{title}”的代码与约定的对照明显不符，这一批已整批暂存",
        code=REASON,
        owner="agency",
        action="请与部门核对代码含义，改好 mapping 里的 codes 后运行 shuqiao quarantine replay {feed}",
        title=dataset.fields[path].of.title,
        feed=feed,
    )
