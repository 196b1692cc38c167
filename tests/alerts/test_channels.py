"""What leaves on the wire: e-mail, our JSON, and what the robots of WeCom and DingTalk read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.alerts import Line, Message, Undelivered, channel
from gateway.alerts.message import LINES
from gateway.config import HookModel, MailModel

pytestmark = pytest.mark.sockets
LINE = Line(
    7, "duty", "360981/subsidy", "overdue", "agency",
    "2026-09 应在 2026-10-10 23:59 前报送，还没有收到", "请某局补报 2026-09", "2026-10-11T00:00:00+08:00",
)  # fmt: skip
NAMES = {"360981": "丰城市"}
RAISED = Message("raised", [LINE], NAMES)
SAID = (
    "丰城市 subsidy：2026-09 应在 2026-10-10 23:59 前报送，还没有收到。请某局补报 2026-09（部门，自 2026-10-11 00:00）"
)


class Robot(ThreadingHTTPServer):
    """Takes what is posted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hand)
        self.answer: tuple[int, bytes] = (200, b'{"errcode":0,"errmsg":"ok"}')
        self.got: list[tuple[str, dict[str, str], bytes]] = []


class Hand(BaseHTTPRequestHandler):
    server: Robot

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        return


class Postbox(ThreadingTCPServer):
    """An SMTP server that keeps what it is given."""

    allow_reuse_address = True

    def __init__(self, refusal: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), Clerk)
        self.refusal = refusal
        self.letters: list[bytes] = []
        self.words: list[str] = []


class Clerk(StreamRequestHandler):
    server: Postbox

    def handle(self) -> None:
        self.wfile.write(b"220 box\r\n")
        for line in self.rfile:
            word = line.decode().strip()
            self.server.words.append(word)
            if word.upper().startswith("DATA"):
                self.wfile.write(b"354 go\r\n")
                self.server.letters.append(b"".join(iter(self.rfile.readline, b".\r\n")))
            if word.upper().startswith("QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            refused = self.server.refusal and word.upper().startswith("RCPT")
            self.wfile.write(self.server.refusal if refused else b"250 ok\r\n")


def served(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def robot() -> Iterator[Robot]:
    yield from served(Robot())


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    yield from served(Postbox())


def hook(robot: Robot, kind: str, monkeypatch: pytest.MonkeyPatch, sign: str = "", lang: str = "zh") -> Any:
    monkeypatch.setenv("ALERT_URL", f"http://127.0.0.1:{robot.server_address[1]}/send?key=robot-key-1")
    monkeypatch.setenv("ALERT_SIGN", sign)
    secrets = {"url": {"env": "ALERT_URL"}} | ({"sign": {"env": "ALERT_SIGN"}} if sign else {})
    return channel(HookModel.model_validate({"kind": kind, "secrets": secrets, "lang": lang}), Path())


def mail(server: Postbox, **more: Any) -> Any:
    where = {"host": "127.0.0.1", "port": server.server_address[1], "security": "none"}
    people = {"sender": "shuqiao@example.cn", "to": ["li@example.cn", "wang@example.cn"]}
    return channel(MailModel.model_validate({"kind": "mail", **where, **people, **more}), Path())


def test_our_own_json_is_signed(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(robot, "webhook", monkeypatch, sign="secret-1").send(RAISED)
    ((path, headers, body),) = robot.got
    assert path == "/send?key=robot-key-1"
    stamp = headers["X-Shuqiao-Timestamp"]
    signed = hmac.new(b"secret-1", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Shuqiao-Signature"] == signed
    told = json.loads(body)
    assert (told["version"], told["occasion"], told["title"]) == (1, "raised", "【数桥】1 项需要部门处理")
    assert told["alerts"] == [
        {
            "id": 7, "kind": "duty", "target": "360981/subsidy", "code": "overdue", "owner": "agency",
            "sentence": LINE.sentence, "action": LINE.action, "since": LINE.since,
        }
    ]  # fmt: skip


def test_wecom_reads_markdown(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(robot, "wecom", monkeypatch).send(RAISED)
    body = json.loads(robot.got[0][2])
    assert body == {"msgtype": "markdown", "markdown": {"content": f"**【数桥】1 项需要部门处理**\n> {SAID}"}}


def test_wecom_takes_four_kilobytes(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    long = replace(LINE, sentence=LINE.sentence * 3)
    hook(robot, "wecom", monkeypatch).send(Message("raised", [long] * LINES, NAMES))
    content = json.loads(robot.got[0][2])["markdown"]["content"]
    assert len(content.encode()) <= 4096
    told = content.splitlines()[1:]
    assert told[-1] == f"> 另有 {LINES - len(told) + 1} 项，见 shuqiao alerts"


def test_dingtalk_is_signed_in_the_address(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    hook(robot, "dingtalk", monkeypatch, sign="SEC000").send(RAISED)
    path, _, body = robot.got[0]
    query = parse_qs(urlsplit(path).query)
    text = f"{query['timestamp'][0]}\nSEC000".encode()
    assert query["sign"] == [base64.b64encode(hmac.new(b"SEC000", text, hashlib.sha256).digest()).decode()]
    assert query["key"] == ["robot-key-1"]
    assert json.loads(body)["markdown"] == {
        "title": "【数桥】1 项需要部门处理",
        "text": f"### 【数桥】1 项需要部门处理\n\n- {SAID}",
    }


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
def test_a_robot_that_says_no_with_200_did_not_take_it(
    robot: Robot, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    robot.answer = 200, b'{"errcode":93000,"errmsg":"invalid webhook url robot-key-1"}'
    with pytest.raises(Undelivered) as caught:
        hook(robot, kind, monkeypatch).send(RAISED)
    assert str(caught.value) == "告警地址没有接收：HTTP 200, errcode 93000"
    robot.answer = 200, b"<html>"
    with pytest.raises(Undelivered):
        hook(robot, kind, monkeypatch).send(RAISED)


def test_a_failure_does_not_tell_the_robots_key(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    robot.answer = 503, b""
    way = hook(robot, "webhook", monkeypatch)
    with pytest.raises(Undelivered) as caught:
        way.send(RAISED)
    assert str(caught.value) == "告警地址没有接收：HTTP 503"
    monkeypatch.setenv("ALERT_URL", "http://127.0.0.1:1/send?key=robot-key-1")
    with pytest.raises(Undelivered) as caught:
        way.send(RAISED)
    assert "robot-key-1" not in str(caught.value)
    monkeypatch.delenv("ALERT_URL")
    with pytest.raises(Undelivered, match="环境变量 ALERT_URL 没有设置"):
        way.send(RAISED)


def test_a_letter(postbox: Postbox) -> None:
    mail(postbox).send(Message("recovered", [LINE], NAMES))
    letter = message_from_bytes(postbox.letters[0], policy=policy.default)
    assert (letter["Subject"], letter["From"]) == ("【数桥】1 项已恢复", "shuqiao@example.cn")
    assert [w for w in postbox.words if w.startswith("rcpt")] == [
        "rcpt TO:<li@example.cn>",
        "rcpt TO:<wang@example.cn>",
    ]
    body = letter.get_content()  # type: ignore[attr-defined] # the policy makes it an EmailMessage
    assert body.strip() == "丰城市 subsidy：已恢复（逾期，自 2026-10-11 00:00）"


def test_english_is_a_setting(postbox: Postbox) -> None:
    mail(postbox, lang="en").send(RAISED)
    letter = message_from_bytes(postbox.letters[0], policy=policy.default)
    assert letter["Subject"] == "[Shuqiao] 1 for the agency to act on"
    body = letter.get_content()  # type: ignore[attr-defined] # as above
    assert "was due 2026-10-10 23:59, nothing received" in body


def test_a_postmaster_who_refuses_is_told_by_number() -> None:
    for box in served(Postbox(b"550 no such user li@example.cn\r\n")):
        with pytest.raises(Undelivered) as caught:
            mail(box).send(RAISED)
    assert str(caught.value) == "邮件服务器没有接收：SMTPRecipientsRefused"
    with pytest.raises(Undelivered, match="ConnectionRefusedError"):
        mail(box).send(RAISED)
