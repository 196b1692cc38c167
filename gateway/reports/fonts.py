"""Fonts with every Chinese name in them, rare ones too; a glyph that is missing is an error, never a box.

Debian's `fonts-noto-cjk` where it is installed, else the files that `make` put into the environment (OFL: Noto CJK, Source
Han; the same package carries a font that is not free, which is never used).
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

from gateway.errors import GatewayError

SYSTEM: Final = Path("/usr/share/fonts/opentype/noto")
_PACKAGED: Final = ("NotoSansCJKsc-Regular.otf", "SourceHanSerifSC-Regular.otf", "SourceHanMonoSC-Regular.otf")
_SYSTEM: Final = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc")


class FontMissing(GatewayError):
    """No usable font, or a character that no font has."""


@dataclass(frozen=True, slots=True)
class Fonts:
    """Files to typeset with, and their family names, best first."""

    files: tuple[Path, ...]
    families: tuple[str, ...]
    covered: frozenset[int]
    """Code points that one of the families has."""

    def check(self, text: str) -> None:
        """Raises FontMissing: names the code points, not the text they stand in."""
        missing = sorted({ord(c) for c in text if not c.isspace()} - self.covered)
        if missing:
            points = "、".join(f"U+{point:04X}" for point in missing)
            raise FontMissing("字体里没有这些字：{points}；请安装 fonts-noto-cjk 或更全的字体", points=points)


@cache
def fonts() -> Fonts:
    """What this machine has. Raises FontMissing: says how to get one."""
    files = [path for name in _SYSTEM if (path := SYSTEM / name).is_file()]
    found = importlib.util.find_spec("mplfonts")
    packaged = (
        Path(found.submodule_search_locations[0]) / "fonts" if found and found.submodule_search_locations else None
    )
    if packaged is not None:
        files += [path for name in _PACKAGED if (path := packaged / name).is_file()]
    if not files:
        raise FontMissing("没有可用的中文字体；请安装 fonts-noto-cjk，或重新运行 make demo，它会装上字体")
    families: list[str] = []
    covered: set[int] = set()
    for path in files:
        with TTFont(path, fontNumber=_simplified(path), lazy=True) as font:
            families.append(str(font["name"].getBestFamilyName()))
            covered.update(font.getBestCmap())
    return Fonts(tuple(files), tuple(dict.fromkeys(families)), frozenset(covered))


def _simplified(path: Path) -> int:
    """Which font of a collection is the simplified Chinese one."""
    if path.suffix != ".ttc":
        return -1
    number = 0
    while True:
        with TTFont(path, fontNumber=number, lazy=True) as font:
            if str(font["name"].getBestFamilyName()).endswith("SC"):
                return number
        number += 1
