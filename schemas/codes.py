"""Code lists: canonical codes, their titles, and the texts that agencies write for them, from `data/codes/`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from schemas.cleaning_common import squeeze

_FOLDER: Final = files("schemas").joinpath("data/codes")

NAMES: Final = tuple(sorted(f.name.removesuffix(".json") for f in _FOLDER.iterdir() if f.name.endswith(".json")))


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list. `accepts` holds texts besides the codes and titles themselves, which are always accepted."""

    name: str
    title: str
    source: str
    codes: Mapping[str, str]
    accepts: Mapping[str, str]


@cache
def code_list(name: str) -> CodeList:
    """The list of this name. Raises ValueError naming the lists there are."""
    if name not in NAMES:
        raise ValueError(f"没有代码表“{name}”。可用的有：{'、'.join(NAMES)}")
    return CodeList(**json.loads(_FOLDER.joinpath(f"{name}.json").read_text(encoding="utf-8")))


def code_key(text: str) -> str:
    """How texts of codes are compared: NFKC, no white space, no case."""
    return squeeze(text).casefold()


def lookup(name: str) -> dict[str, str]:
    """Everything the list accepts, exactly and folded -> canonical code."""
    found = code_list(name)
    accepted = {code: code for code in found.codes} | {t: c for c, t in found.codes.items()} | dict(found.accepts)
    return {code_key(text): code for text, code in accepted.items()} | accepted


def code_title(name: str, code: str) -> str:
    """The Chinese title of a code, or the code itself where the list does not know it."""
    return code_list(name).codes.get(code, code)
