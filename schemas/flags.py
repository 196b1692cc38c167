"""What a quality flag or a quarantine reason means, in one sentence, from `data/flags.json`."""

import json
from functools import cache
from importlib.resources import files


@cache
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    text = files("schemas").joinpath("data/flags.json").read_text(encoding="utf-8")
    tables: dict[str, dict[str, dict[str, str]]] = json.loads(text)
    return tables


def flags() -> dict[str, dict[str, str]]:
    """Quality flags (the record is kept): code -> language -> sentence."""
    return _tables()["flags"]


def reasons() -> dict[str, dict[str, str]]:
    """Quarantine reasons (the item is held): code -> language -> sentence."""
    return _tables()["reasons"]


def title(code: str, lang: str = "zh") -> str:
    """The sentence for a flag or a reason; the code itself where it is unknown. `field:FLAG` is read as `FLAG`."""
    name = code.rpartition(":")[2]
    entry = flags().get(name) or reasons().get(name) or {}
    return entry.get(lang, code)
