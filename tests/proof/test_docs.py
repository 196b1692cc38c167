"""`docs/proof-format.md` and `docs/report-format.md` name what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.chain.headers import _Line
from gateway.proof import ENVELOPE_FIELDS, SUITES, Manifest, errors
from gateway.proof.document import Document

ROOT = Path(__file__).parents[2]
DOC = "".join((ROOT / "docs" / f"{name}-format.md").read_text("utf-8") for name in ("proof", "report"))
SOURCES = {p: p.read_text("utf-8") for folder in ("proof", "chain") for p in (ROOT / "gateway" / folder).glob("*.py")}

CODES = {
    *(m for s in SOURCES.values() for m in re.findall(r'ProofInvalid\(\s*"([A-Z]+)"', s)),
    *(e.code for e in errors.ProofError.__subclasses__() if e is not errors.ProofInvalid),
}
DOMAINS = {m for s in SOURCES.values() for m in re.findall(r'b"(shuqiao/1/[a-z-]+)', s)}
FORMATS = {m for s in SOURCES.values() for m in re.findall(r'"(shuqiao-[a-z]+/\d)"', s)}


@pytest.mark.parametrize(
    "name",
    sorted(
        CODES | DOMAINS | FORMATS | set(SUITES) | set(ENVELOPE_FIELDS)
        | set(Manifest.__struct_fields__) | set(Document.__struct_fields__) | set(_Line.__struct_fields__)
    ),
)  # fmt: skip
def test_it_is_documented(name: str) -> None:
    assert re.search(rf'[`"]{re.escape(name)}[`"]', DOC)


def test_there_is_something_to_document() -> None:
    assert (len(CODES), len(DOMAINS), len(FORMATS)) == (18, 7, 7)
