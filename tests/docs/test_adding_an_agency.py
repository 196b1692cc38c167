"""docs/adding-an-agency.md is executed as written, against a small server that plays the forestry bureau."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

import adapters
from adapters.kit import registry
from adapters.kit.contract import checks
from adapters.kit.recording import Recording
from gateway.cli import app
from schemas.identifiers import id_checksum_holds

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/adding-an-agency.md").read_text("utf-8")
FEED = "360981/forest_payment"
TOKEN = "forest-token-7f"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def id_number(serial: int) -> str:
    """A synthetic ID number in the never-assigned area 360999."""
    body = f"36099919560101{serial:03d}"
    return next(body + check for check in "0123456789X" if id_checksum_holds(body + check))


ROWS = [
    {
        **msgspec.json.decode(blocks("json")[0])["data"]["list"][0],
        "ID": f"LY-2026-{n:04d}",
        "SFZH": id_number(n),
        "GXSJ": f"2026-02-1{n} 09:00:00",
    }
    for n in range(1, 8)
]


class Forestry(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(asked.query).items()}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"code": "401", "msg": "未授权"})
        rows = [row for row in ROWS if row["GXSJ"] >= query.get("since", "")]
        first = int(query["offset"])
        assert asked.path == "/api/forest-subsidy"
        return self.answer(
            {"code": "0", "msg": "ok", "data": {"total": len(rows), "list": rows[first : first + int(query["limit"])]}}
        )

    def answer(self, body: Any) -> None:
        text = msgspec.json.encode(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@contextmanager
def bureau() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Forestry) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def merge(path: Path, stanza: str, **replaced: str) -> None:
    """Adds a stanza of the page to a configuration file, under the keys it names."""
    yaml = YAML()
    whole, added = yaml.load(path.read_text("utf-8")), yaml.load(stanza)
    for section, entries in added.items():
        for name, entry in entries.items():
            whole[section][name] = entry
            entry.update({k: v for k, v in replaced.items() if k in entry})
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(whole, file)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The repository's configuration plus what the page says, in a folder of its own."""
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "forestry.py").write_text(blocks("python")[0], "utf-8")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path / "adapters")])
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "config/secrets/forestry-token").write_text(f"{TOKEN}\n", "ascii")
    with bureau() as address:
        for stanza in blocks("yaml"):
            name = stanza.splitlines()[0].removeprefix("# ")
            merge(tmp_path / "config" / name, stanza, base_url=address)
        yield tmp_path


def shuqiao(home: Path, *words: str) -> Any:
    """A documented command, its answer as JSON where it gives one."""
    command = ["--config", str(home / "config"), "--data", str(home / "data"), *words]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return msgspec.json.decode(done.stdout) if "--json" in words else done.stdout


def documented(verb: str) -> list[str]:
    """A command line of the page, as typed there."""
    line = next(line for block in blocks("sh") for line in block.splitlines() if line.startswith(f"shuqiao {verb}"))
    return line.partition("#")[0].split()[1:]


def test_the_adapter_is_one_short_file() -> None:
    assert len(blocks("python")) == 1
    assert len(blocks("python")[0].splitlines()) <= 40


@pytest.mark.sockets
def test_the_page_works_as_written(installed: Path) -> None:
    shuqiao(installed, *documented("config check"))
    (probes,) = shuqiao(installed, *documented("check"), "--json").values()
    assert [p["sentence"] for p in probes if not p["ok"]] == []
    preview = shuqiao(installed, *documented("preview"), "--json")
    assert (preview["got"], preview["declared"]) == (3, 7)

    said = documented("adapter record")
    recorded = installed / "forestry.json"
    said[said.index("--to") + 1] = str(recorded)
    shuqiao(installed, *said)
    text = recorded.read_text("utf-8")
    assert not [value for value in (TOKEN, ROWS[0]["SFZH"], ROWS[0]["XM"], "127.0.0.1") if value in text]
    recording = Recording.load(recorded)
    assert recording.complete == {"payment": True}
    for check in checks(registry.find("forestry"), recording):
        check.run()

    (outcome,) = shuqiao(installed, *documented("sync"), "--json")
    assert (outcome["counts"]["fetched"], outcome["counts"]["puts"], outcome["counts"]["quarantined"]) == (7, 7, 0)
    feed = next(f for f in shuqiao(installed, "status", "--json") if f["feed"] == FEED)
    assert (feed["state"], feed["accepted"], feed["as_of"]) == ("ok", 7, "2026-02-17T09:00:00")
    (again,) = shuqiao(installed, *documented("sync"), "--json")
    assert (again["counts"]["fetched"], again["counts"]["puts"]) == (1, 0)
