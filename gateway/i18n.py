"""Chinese first, English second: sentences are written in Chinese and looked up in `locale/en.po`.

`_` marks and translates; errors carry their sentence and facts apart, so `show` can say them in either language.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

LANGUAGES: Final = ("zh", "en")
language: ContextVar[str] = ContextVar("language", default="zh")


@cache
def _catalogue(lang: str) -> dict[str, str]:
    if lang == "zh":
        return {}
    from babel.messages.pofile import read_po

    content = files("gateway").joinpath("locale", f"{lang}.po").read_bytes()
    return {str(m.id): str(m.string) for m in read_po(BytesIO(content)) if m.id and m.string}


def _(sentence: str) -> str:
    """The sentence in the language of this context; itself where a translation is missing."""
    return _catalogue(language.get()).get(sentence, sentence)


def show(error: Exception) -> str:
    """An error of ours as a person reads it."""
    sentence, facts = getattr(error, "sentence", None), getattr(error, "facts", None)
    if isinstance(sentence, str) and isinstance(facts, dict):
        return _(sentence).format(**facts)
    return str(error)
