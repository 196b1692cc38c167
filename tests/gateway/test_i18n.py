"""Every Chinese sentence that the gateway can say has its English, and no English is left over."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from adapters.kit import SourceDenied
from gateway.chain import ChainBroken
from gateway.dispatch.execute import judge
from gateway.freshness.verdicts import SEVERITY
from gateway.i18n import LANGUAGES, WORDS, _, language, retell, show, word

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff，。；：（）“”]")
FACT = re.compile(r"\{(\w+)(?::[^}]*)?\}")
UNSPOKEN = {
    "adapters/kit/scrub.py",
    "adapters/kit/hostile.py",
    "adapters/kit/files/words.py",
    "gateway/promise/words.py",
    "adapters/kit/upload.py",
    "gateway/templates.py",
    "gateway/quarantine/workbook.py",
    "gateway/quarantine/notice.py",
    "gateway/board/letter.py",
    "gateway/discover/fieldtables.py",
    "gateway/discover/proposal.py",
    "gateway/discover/signs.py",
    "gateway/discover/stanza.py",
} | {f"gateway/reports/{name}.py" for name in ("view", "report", "sections", "derive", "marriage", "person")}
"""Synthetic names, hostile answers, the words of clerks, of their spreadsheets and of letters to agencies, of vendors' documents and the
stanzas made of them, and those of the report, a Chinese document:
data, not sentences.
"""


def template(*parts: ast.expr) -> str:
    """A sentence with facts: named where an expression has a name, numbered otherwise."""
    out, unnamed = "", 0
    for part in parts:
        if isinstance(part, ast.Constant):
            out += str(part.value)
            continue
        value = part.value if isinstance(part, ast.FormattedValue) else part
        name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else None
        if name is None:
            name, unnamed = str(unnamed), unnamed + 1
        out += f"{{{name}}}"
    return out


class Sentences(ast.NodeVisitor):
    """What a module may say. A docstring is said only where it is a verb's help."""

    def __init__(self, module: str) -> None:
        self.found: set[str] = set()
        self.verbs = module.startswith("gateway/cli/")
        self.everything = module.startswith(("gateway/", "adapters/kit/"))

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if self.verbs and not node.name.startswith("_") and (text := ast.get_docstring(node)):
            self.say(text)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """What is compared with is a word of configuration."""

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if ast.unparse(node.value) != "Literal":
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func)
        if called in ("re.compile", "FastAPI"):
            return
        within, self.everything = (
            self.everything,
            self.everything or called in ("Probe", "SourceMalformed", "SourceDenied"),
        )
        self.generic_visit(node)
        self.everything = within

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.say(template(*node.values), "".join(p.value for p in node.values if isinstance(p, ast.Constant)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """A sentence that is continued by an expression."""
        sides = (node.left, node.right)
        for side in sides:
            if isinstance(node.op, ast.Add) and isinstance(side, ast.Constant):
                self.say(template(*sides), str(side.value))
            else:
                self.visit(side)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.say(node.value)

    def say(self, sentence: str, own: str = "") -> None:
        if self.everything and CHINESE.search(own or sentence):
            self.found.add(sentence)


def spoken() -> Iterator[tuple[str, str]]:
    for package in ("gateway", "adapters"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in UNSPOKEN:
                reader = Sentences(name)
                reader.visit(ast.parse(path.read_text("utf-8")))
                yield from ((sentence, name) for sentence in reader.found)


def templates() -> Iterator[tuple[str, nodes.Template]]:
    """The dashboard's templates, parsed."""
    folder = ROOT / "gateway/web/templates"
    for path in sorted(folder.glob("*.html")):
        yield path.relative_to(ROOT).as_posix(), Environment().parse(path.read_text("utf-8"))


def written() -> Iterator[tuple[str, str]]:
    """What templates say."""
    for name, parsed in templates():
        for node in parsed.find_all(nodes.Const):
            if isinstance(node.value, str) and CHINESE.search(node.value):
                yield node.value, name


SPOKEN = dict([*spoken(), *written()])
ENGLISH = {str(m.id): str(m.string) for m in read_po(BytesIO((ROOT / "gateway/locale/en.po").read_bytes())) if m.id}


@pytest.fixture
def english() -> Iterator[None]:
    token = language.set("en")
    yield
    language.reset(token)


def test_every_sentence_has_its_english() -> None:
    assert [f"{place}: {sentence}" for sentence, place in SPOKEN.items() if not ENGLISH.get(sentence)] == []


def test_no_english_is_left_over() -> None:
    assert sorted(ENGLISH.keys() - SPOKEN.keys()) == []


def test_templates_say_nothing_untranslated() -> None:
    """A sentence of a template passes `_`, with the facts it names; what stands outside of it is said in one language only."""
    wrong = []
    for name, parsed in templates():
        asked = {
            id(call.args[0]): call
            for call in parsed.find_all(nodes.Call)
            if isinstance(call.node, nodes.Name) and call.node.name == "_" and call.args
        }
        wrong += [f"{name}: {d.data}" for d in parsed.find_all(nodes.TemplateData) if CHINESE.search(d.data)]
        for said in parsed.find_all(nodes.Const):
            if not isinstance(said.value, str) or not CHINESE.search(said.value):
                continue
            call = asked.get(id(said))
            facts = {fact.key for fact in call.kwargs} if call else set()
            if call is None or facts != set(FACT.findall(said.value)):
                wrong.append(f"{name}: {said.value}")
    assert wrong == []


def test_scripts_and_styles_say_nothing() -> None:
    files = [
        p for p in (ROOT / "gateway/web/static").iterdir() if p.suffix in (".js", ".css") and ".min." not in p.name
    ]
    assert [p.name for p in files if CHINESE.search(p.read_text("utf-8"))] == []


def test_both_sides_name_the_same_facts() -> None:
    assert [s for s, t in ENGLISH.items() if sorted(FACT.findall(s)) != sorted(FACT.findall(t))] == []


def test_english_has_no_chinese_in_it() -> None:
    assert [t for t in ENGLISH.values() if CHINESE.search(t.replace("数桥", ""))] == []


def test_states_owners_and_reasons_are_words() -> None:
    """What the code writes into the store is shown as a word: no code reaches a person."""
    sources = "".join(p.read_text("utf-8") for p in (ROOT / "gateway").rglob("*.py"))
    judged = set(re.findall(r'Verdict\(\s*"(\w+)"', sources))
    owners = set(re.findall(r'owner="(\w+)"', sources)) | {"county", "agency", "gateway"}
    reasons = set(re.findall(r'reason="(\w+)", actor', sources))
    judged |= {
        *SEVERITY,
        *re.findall(r'"(\w+)" if (?:taken|left)', sources),
        "stopped",
        "cooling",
        "expired",
        "expiring",
    }
    assert len(judged) > 6
    assert len(reasons) > 3
    assert (judged | owners | reasons) - WORDS.keys() == set()


@pytest.mark.usefixtures("english")
def test_words_and_sentences_in_english() -> None:
    assert word("unavailable") == "offline"
    assert word("of_no_list") == "of_no_list"
    assert show(ChainBroken(7, "内容、哈希或签名被改动")) == "block 7: content, hash or signature was altered"


@pytest.mark.usefixtures("english")
def test_what_was_stored_is_told_again() -> None:
    """A verdict is kept as a finished Chinese sentence, a label inside."""
    denied = SourceDenied("AUTH_CONFIG", "{label}：对方拒绝了本账号，请核对账号、密钥与授权范围", label="GET /a")
    kept = judge(denied, "360981/marriage")
    assert (
        retell(kept.sentence or "")
        == "GET /a: the source refused this account; check the account, its secrets and grants"
    )
    assert retell(kept.action or "") == (
        "check the account's secrets and grants, then run shuqiao check 360981/marriage"
    )
    assert retell("谁也没有说过的话") == "谁也没有说过的话"


def test_chinese_is_the_source() -> None:
    assert (word("ok"), _("采集任务"), retell("区块 7：缺失或序号被改动")) == (
        "正常",
        "采集任务",
        "区块 7：缺失或序号被改动",
    )


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`shuqiao` over the repository's configuration, in a process of its own."""
    env = {"COLUMNS": "100", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "gateway", "--config", str(ROOT / "config"), "--data", str(tmp_path), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)


@pytest.mark.parametrize("words", [("--help",), ("quarantine", "list", "--help")])
def test_help_speaks_english(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert LANGUAGES == ("zh", "en")
    told = run(tmp_path, "--lang", "en", *words)
    assert told.returncode == 0
    assert not CHINESE.search(told.stdout.replace("数桥", ""))
    assert CHINESE.search(run(tmp_path, *words).stdout)


def test_status_and_errors_speak_english(tmp_path: Path) -> None:
    (tmp_path / "members").mkdir()
    table = run(tmp_path, "--lang", "en", "status")
    assert table.returncode == 0, table.stderr
    assert table.stdout.split()[2:6] == ["dataset", "state", "told", "got"]
    wrong = run(tmp_path, "--lang", "en", "sync", "360981/x")
    assert (wrong.returncode, wrong.stderr[:36]) == (2, "error: there is no feed 360981/x; th")
    assert json.loads(run(tmp_path, "status", "--json").stdout)[0]["state"] == "waiting"
