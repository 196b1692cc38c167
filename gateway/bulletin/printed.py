"""The bulletin as an official letter: PDF/A-3b by typst. Its words are Chinese in every language, for offices read it."""

from __future__ import annotations

import tempfile
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import typst

from gateway.bulletin.figures import Bulletin, Score
from gateway.config import Config
from gateway.reports.fonts import fonts
from schemas import DATASETS

LISTED: Final = 60
"""Periods that the letter names; the spreadsheet names all."""
DASH: Final = "—"


def printed(told: Bulletin, config: Config, kind: Literal["pdf", "png"] = "pdf") -> bytes:
    """The PDF; `kind` png gives its first page as a picture.

    Raises:
        FontMissing: a character that no font has, or no font.
    """
    available = fonts()
    shown = view(told, config)
    text = msgspec.json.encode(shown | {"families": _serif_first(available.families)}).decode()
    available.check(text)
    with tempfile.TemporaryDirectory() as folder, as_file(files("gateway.bulletin") / "bulletin.typ") as template:
        for path in available.files:
            (Path(folder) / path.name).symlink_to(path)
        made = typst.compile(
            str(template),
            format=kind,
            root=str(template.parent),
            font_paths=[folder],
            ignore_system_fonts=True,
            sys_inputs={"view": text},
            pdf_standards=["a-3b"],
            timestamp=int(datetime.fromisoformat(told.at).timestamp()),
            ppi=110,
        )
    return bytes(made)


def view(told: Bulletin, config: Config) -> dict[str, Any]:
    """What the letter says, as text."""
    year, month = int(told.month[:4]), int(told.month[5:])

    def name(code: str) -> str:
        return config.counties[code].name

    return {
        "month": [year, month],
        "at": told.at[:16].replace("T", " "),
        "day": [int(told.at[:4]), int(told.at[5:7]), int(told.at[8:10])],
        "over": told.over,
        "whole": _texts(told.whole),
        "counties": [{"name": name(s.county), **_texts(s)} for s in told.counties],
        "agencies": [{"name": s.agency, "county": name(s.county), **_texts(s)} for s in told.agencies],
        "unkept": [
            {
                "county": name(line.county),
                "agency": line.agency,
                "dataset": DATASETS[line.dataset].title,
                "period": line.period,
                "due": line.due_at[:10],
                "made_up": line.late_days,
            }
            for line in told.unkept[:LISTED]
        ],
        "unlisted": max(0, len(told.unkept) - LISTED),
    }


def _texts(score: Score) -> dict[str, str]:
    counts = ("due", "on_time", "made_up", "missed", "waived", "rows", "held", "waiting", "cured")
    shares = {"rate": score.rate, "quality": score.quality, "manual": score.manual}
    return {
        **{key: f"{getattr(score, key):,}" for key in counts},
        **{key: DASH if share is None else f"{share:.1%}" for key, share in shares.items()},
        "days": DASH if score.cure_days is None else f"{score.cure_days:.1f}",
    }


def _serif_first(families: tuple[str, ...]) -> list[str]:
    return sorted(families, key=lambda family: "Serif" not in family)
