"""The report as PDF/A-3b with its JSON attached (typst); `seal` signs it (pyHanko)."""

from __future__ import annotations

import tempfile
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import typst

from gateway.reports.fonts import fonts
from gateway.reports.office import Report
from gateway.reports.view import view

ATTACHMENT: Final = "report.json"


def render(report: Report, kind: Literal["pdf", "png"] = "pdf") -> bytes:
    """The PDF of a report; `kind` png gives its first page as a picture.

    Raises:
        FontMissing: a character that no font has, or no font.
    """
    available = fonts()
    shown = view(report.document, report.digest, available.families)
    available.check(_all_text(shown))
    inputs = {"view": msgspec.json.encode(shown).decode(), "document": envelope(report).decode()}
    at = datetime.fromisoformat(report.document["at"])
    with tempfile.TemporaryDirectory() as folder, as_file(files("gateway.reports") / "report.typ") as template:
        for path in available.files:
            (Path(folder) / path.name).symlink_to(path)
        made: Any = typst.compile(
            str(template),
            format=kind,
            root=str(template.parent),
            font_paths=[folder],
            ignore_system_fonts=True,
            sys_inputs=inputs,
            pdf_standards=["a-3b"],
            timestamp=int(at.timestamp()),
            ppi=110,
        )
    return bytes(made[0] if isinstance(made, list) else made)


def envelope(report: Report) -> bytes:
    """What is attached: the document's exact bytes as text, with our signature over them."""
    return msgspec.json.encode({"report": report.text.decode(), "signature": report.signature})


def _all_text(value: Any) -> str:
    if isinstance(value, str):
        return "" if value.startswith("<svg") else value
    if isinstance(value, dict):
        return "".join(_all_text(v) for v in value.values())
    return "".join(_all_text(v) for v in value) if isinstance(value, list) else ""
