"""Looking for what must not be anywhere: every secret text in every way bytes can spell it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

HEAD = 6
"""Bytes by which a place is recognised: no spelling of a needle is shorter."""


def spellings(text: str) -> dict[str, bytes]:
    """Encoding -> how a text looks in it, each look once. Base64 is cut to what its neighbours cannot change."""
    raw = text.encode()
    out = {"utf-8": raw, "gb18030": text.encode("gb18030")}
    out |= {"utf-16le": text.encode("utf-16-le"), "utf-16be": text.encode("utf-16-be")}
    for shift, lost in enumerate((0, 2, 3)):
        whole = base64.b64encode(bytes(shift) + raw)
        out[f"base64+{shift}"] = whole[lost : (shift + len(raw)) * 8 // 6]
    units = text.encode("utf-16-be").hex()
    escapes = [units[i : i + 4] for i in range(0, len(units), 4)]
    out["\\u"] = "".join(f"\\u{e}" for e in escapes).encode()
    out["\\U"] = "".join(f"\\u{e.upper()}" for e in escapes).encode()
    out["json"] = json.dumps(text)[1:-1].encode()
    first = {look: name for name, look in reversed(out.items())}
    return {name: look for name, look in out.items() if first[look] == name}


class Needles:
    """Texts to look for, each with a word for what it is."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        short = [text for text in self.texts if any(len(s) < HEAD for s in spellings(text).values())]
        assert not short, f"{len(short)} needles are too short to mean anything"

    @cached_property
    def _heads(self) -> dict[bytes, list[tuple[bytes, str, str]]]:
        out: dict[bytes, list[tuple[bytes, str, str]]] = {}
        for text, what in self.texts.items():
            for encoding, spelt in spellings(text).items():
                out.setdefault(spelt[:HEAD], []).append((spelt, encoding, what))
        return out

    def found_in(self, data: bytes) -> set[tuple[str, str]]:
        """(what it is, encoding) of everything that is there; never the text itself, lest a report leak it."""
        heads, out = self._heads, set()
        for head in {data[i : i + HEAD] for i in range(len(data) - HEAD + 1)} & heads.keys():
            out |= {(what, encoding) for spelt, encoding, what in heads[head] if spelt in data}
        return out


def searched(needles: Needles, folder: Path) -> Iterable[tuple[str, set[tuple[str, str]]]]:
    """Every file below a folder, its name searched as well as its bytes."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        yield name, needles.found_in(name.encode() + b"\n" + path.read_bytes())
