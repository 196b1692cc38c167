"""What the documents must cover: every verb and option, every configuration key, every environment variable; links resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel

from adapters.kit import registry
from gateway.cli import app
from gateway.config import models
from gateway.i18n import WORDS
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("mock_agencies/*.md")])
OPERATE = (ROOT / "docs/operate.md").read_text("utf-8")
CONFIGURE = (ROOT / "docs/configure-a-county.md").read_text("utf-8")
DECLARED = (ROOT / "docs/declared-sources.md").read_text("utf-8")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every verb that does something, by the words that call it."""
    verbs = getattr(command, "commands", {})
    if not verbs or (name and command.invoke_without_command):
        yield name, command
    for word, verb in verbs.items():
        yield from commands(verb, f"{name} {word}".strip())


VERBS = dict(commands(typer.main.get_command(app)))


def keys(annotation: Any) -> Iterator[str]:
    """Every key that a model, or a model inside it, lets a file say."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield field.alias or name
            yield from keys(field.annotation)
    for part in get_args(annotation):
        yield from keys(part)


def row(verb: str) -> str:
    return next((line for line in OPERATE.splitlines() if line.startswith(f"| `{verb}` |")), "")


def said(page: str, key: str) -> bool:
    """The key stands in the page as code, alone or as a part of its path."""
    return any(re.search(rf"(^|[.{{]){re.escape(key)}($|[.:])", code) for code in re.findall(r"`([^`\n]+)`", page))


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_row(verb: str) -> None:
    assert row(verb)


@pytest.mark.parametrize("verb", [v for v in VERBS if v != "member verify"])
def test_every_option_is_in_the_row_of_its_verb(verb: str) -> None:
    options = [
        p.opts[0] for p in VERBS[verb].params if p.param_type_name == "option" and not p.hidden and p.name != "help"
    ]
    assert [o for o in options if f"`{o}`" not in row(verb)] == []


def test_verify_has_the_options_of_fetch_and_one_more() -> None:
    """Its row says so instead of repeating them."""
    names = {verb: {p.opts[0] for p in VERBS[f"member {verb}"].params} for verb in ("fetch", "verify")}
    assert names["verify"] - {"--out"} == names["fetch"] - {"--to"}


def test_every_verb_of_the_page_exists() -> None:
    told = re.findall(r"^\| `([a-z ]+)` \| [^|]+ \|[^|]*\|$", OPERATE, re.MULTILINE)
    assert sorted(set(told) - VERBS.keys()) == []


def test_every_setting_is_described() -> None:
    assert [
        f"SHUQIAO_{name.upper()}" for name in Settings.model_fields if f"`SHUQIAO_{name.upper()}`" not in OPERATE
    ] == []


def test_every_state_of_a_feed_has_its_row() -> None:
    states = list(WORDS)[: list(WORDS).index("failed") + 1]
    assert [s for s in states if f"| {WORDS[s]} | `{s}` |" not in OPERATE] == []


@pytest.mark.parametrize(
    "model", [models.GatewayFile, models.CatalogueFile, models.AccountsFile, models.CalendarFile, models.CountyFile]
)
def test_every_configuration_key_is_described(model: type[BaseModel]) -> None:
    assert [key for key in keys(model) if not said(CONFIGURE, key)] == []


@pytest.mark.parametrize("name", registry.names())
def test_every_key_of_an_adapter_is_described(name: str) -> None:
    assert [key for key in keys(registry.find(name).Settings) if not said(CONFIGURE + DECLARED, key)] == []


def test_every_update_frequency_is_listed() -> None:
    assert [word for word in get_args(models.UpdateFrequency) if word not in CONFIGURE] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_resolve(page: Path) -> None:
    links = [link.partition("#")[0] for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []


def test_every_document_can_be_reached_from_the_first_page() -> None:
    """In both languages."""
    for first in (ROOT / "README.md", ROOT / "README.zh-CN.md"):
        seen, todo = set(), [first]
        while todo:
            page = todo.pop()
            seen.add(page)
            links = [(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(page.read_text("utf-8"))]
            todo += [p for p in links if p.suffix == ".md" and p.exists() and p not in seen]
            links += [p for folder in links if folder.is_dir() for p in folder.glob("*.md")]
            seen |= {p for p in links if p.suffix == ".md"}
        assert [
            p.relative_to(ROOT).as_posix() for p in PAGES if p not in seen and p.is_relative_to(ROOT / "docs")
        ] == []
