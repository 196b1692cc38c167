"""docs/zh-CN/配置一个县.md is executed as written: from a Word document and an answer to rows that came on schedule."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from gateway.app import Gateway
from gateway.cli import app
from gateway.discover import FILL
from gateway.settings import Settings
from gateway.store.pages import living
from gateway.worker import work
from schemas.identifiers import id_checksum_holds
from tests.discover.test_discover import DOCUMENT, REQUEST, ROW
from tests.discover.vendors import docx
from tests.support.house import ROOT, copy_config

pytestmark = pytest.mark.sockets

PAGE = (ROOT / "docs/zh-CN/配置一个县.md").read_text("utf-8")
TOKEN = "finance-token-3c"
EDITS = 3
"""Lines that a clerk may have to write by hand."""
PATIENCE = 20.0


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def number(serial: int) -> str:
    body = f"36099919600101{serial:03d}"
    return next(body + check for check in "0123456789X" if id_checksum_holds(body + check))


ROWS = [{**ROW, "MXID": f"M{n}", "LQRSFZH": number(n)} for n in range(1, 4)]


class Finance(BaseHTTPRequestHandler):
    """The bureau's system: a token, pages from 1 on."""

    def do_POST(self) -> None:
        asked = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
        rows = ROWS if int(asked["pageNum"]) == 1 else []
        body = {"code": "0", "msg": "成功", "data": {"total": len(ROWS), "list": rows}}
        if self.headers["Authorization"] != f"Bearer {TOKEN}" or self.path != "/ykt/list":
            body = {"code": "401", "msg": "未授权"}
        text = msgspec.json.encode(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A clerk's folder: an installation that runs for another county, the vendor's document, a sample answer, the token."""
    config = copy_config(tmp_path)
    running = Gateway(Settings(config=config, data=tmp_path / "data"))
    assert running.config.feeds
    running.close()
    (config / "secrets/yuanzhou-yikatong").write_text(f"{TOKEN}\n", "ascii")
    with ThreadingHTTPServer(("127.0.0.1", 0), Finance) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        intro = f"接口地址：http://127.0.0.1:{server.server_port}/ykt/list\n请求方式：POST\n请求头带 Authorization: Bearer 令牌"
        (tmp_path / "接口文档.docx").write_bytes(docx(intro, DOCUMENT.grid(), REQUEST))
        answer = {"code": "0", "msg": "成功", "data": {"total": 1, "list": ROWS[:1]}}
        (tmp_path / "样例.json").write_bytes(msgspec.json.encode(answer))
        monkeypatch.chdir(tmp_path)
        yield tmp_path
        server.shutdown()
        thread.join()


def typed(home: Path, words: str) -> str:
    """A command of the page, as typed there."""
    command = ["--config", str(home / "config"), "--data", str(home / "data"), *words.split()[1:]]
    done = CliRunner().invoke(app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_hour_ends_with_rows_that_came_by_themselves(desk: Path) -> None:
    by_hand, mapping = blocks("yaml")
    assert len(by_hand.splitlines()) <= EDITS
    with (desk / "config/accounts.yaml").open("a", encoding="utf-8") as accounts:
        accounts.write(by_hand)
    told = {line: typed(desk, line) for block in blocks("sh") for line in block.splitlines() if "runs" not in line}
    draft = (desk / "config/counties/360902.yaml").read_text("utf-8")
    assert FILL not in "".join(line for line in draft.splitlines() if not line.lstrip().startswith("#"))
    assert mapping in draft
    shown = {verb: text for line, text in told.items() for verb in ("check", "preview", "diff") if f" {verb}" in line}
    check, preview, published = blocks("text")
    for verb, block in (("check", check), ("preview", preview)):
        lines = [line.split() for line in shown[verb].splitlines()]
        assert [
            line for line in block.splitlines() if not any(said[: len(line.split())] == line.split() for said in lines)
        ] == []
    assert published.strip() in shown["diff"]
    assert not any(row["LQRSFZH"] in text for row in ROWS for text in told.values())

    gateway = Gateway(Settings(config=desk / "config", data=desk / "data"))
    stop = threading.Event()
    worker = threading.Thread(target=work, args=(gateway, stop))
    worker.start()
    try:
        assert until(lambda: kept(gateway) == len(ROWS), stop)
    finally:
        stop.set()
        worker.join()
        gateway.close()
    assert "360902/payment" in typed(desk, blocks("sh")[-1])


def kept(gateway: Gateway) -> int:
    with gateway.store.read() as tx:
        feed = tx.one("feed_by_name", name="360902/payment")
        return len(living(tx, feed.id))


def until(holds: object, stop: threading.Event) -> bool:
    """Whether it came to hold in good time."""
    assert callable(holds)
    for _ in range(int(PATIENCE * 10)):
        if holds():
            return True
        stop.wait(0.1)
    return False


def test_a_county_that_has_a_file_is_not_overwritten(desk: Path) -> None:
    words = ["discover", "样例.json", "--save", "--county"]
    base = ["--config", str(desk / "config"), "--data", str(desk / "data"), *words]
    before = (desk / "config/counties/360981-fengcheng.yaml").read_text("utf-8")
    refused = CliRunner().invoke(app, [*base, "360981"])
    assert refused.exit_code != 0
    assert (desk / "config/counties/360981-fengcheng.yaml").read_text("utf-8") == before
    assert CliRunner().invoke(app, [*base, "999999"]).exit_code != 0
