"""Ways out: e-mail by SMTP, and webhooks as ourselves, WeCom and DingTalk write them.

webhook   our JSON (`Message.as_dict`); signed: X-Shuqiao-Timestamp, and X-Shuqiao-Signature, the hex of
HMAC-SHA256(sign, timestamp + "." + body)
wecom     {"msgtype":"markdown","markdown":{"content":…}}, at most 4,096 bytes; answered {"errcode":0}
dingtalk  {"msgtype":"markdown","markdown":{"title":…,"text":…}}; signed in the address: timestamp in milliseconds and
the base64 of HMAC-SHA256(sign, timestamp + newline + sign); answered {"errcode":0}
"""

from __future__ import annotations

import base64
import hmac
import smtplib
import ssl
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Final, Protocol

import httpx
import msgspec

from gateway.alerts.message import LINES, Message
from gateway.config import HookModel, MailModel, resolve
from gateway.errors import GatewayError
from gateway.i18n import language

SECONDS: Final = 10.0
WECOM_BYTES: Final = 4096


class Undelivered(GatewayError):
    """The other side did not take it; whether it came again is for the post to decide."""


class Channel(Protocol):
    """One way out."""

    def send(self, message: Message) -> None:
        """Raises Undelivered."""


def channel(model: MailModel | HookModel, root: Path) -> Channel:
    """The channel a file describes; its secrets are read when something is sent."""
    return Mail(model, root) if isinstance(model, MailModel) else Hook(model, root)


class Mail:
    """An SMTP server, and who is written to."""

    def __init__(self, model: MailModel, root: Path) -> None:
        self._model, self._root = model, root

    def send(self, message: Message) -> None:
        said = language.set(self._model.lang)
        try:
            letter = self._letter(message)
        finally:
            language.reset(said)
        try:
            with self._server() as server:
                server.send_message(letter)
        except (OSError, smtplib.SMTPException, LookupError) as error:
            raise Undelivered("邮件服务器没有接收：{why}", why=_reason(error)) from error

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"], letter["From"], letter["To"] = message.title(), self._model.sender, ", ".join(self._model.to)
        letter["Date"], letter["Message-ID"] = formatdate(localtime=True), make_msgid(domain="shuqiao.invalid")
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content("\n\n".join(message.body()) + "\n")
        return letter

    def _server(self) -> smtplib.SMTP:
        m, context = self._model, ssl.create_default_context()
        if m.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(m.host, m.port, timeout=SECONDS, context=context)
        else:
            server = smtplib.SMTP(m.host, m.port, timeout=SECONDS)
        if m.security == "starttls":
            server.starttls(context=context)
        if m.user is not None and m.secrets.password is not None:
            server.login(m.user, resolve(m.secrets.password, self._root))
        return server


class Hook:
    """An address that takes JSON."""

    def __init__(self, model: HookModel, root: Path, now: Callable[[], float] = time.time) -> None:
        self._model, self._root, self._now = model, root, now

    def send(self, message: Message) -> None:
        said = language.set(self._model.lang)
        try:
            body = msgspec.json.encode(_BODIES[self._model.kind](message))
        finally:
            language.reset(said)
        try:
            url = resolve(self._model.secrets.url, self._root)
            sign = resolve(self._model.secrets.sign, self._root) if self._model.secrets.sign else None
            answer = self._post(url, sign, body)
        except (httpx.HTTPError, httpx.InvalidURL, LookupError) as error:
            raise Undelivered("告警地址没有接收：{why}", why=_reason(error)) from error
        if not answer.is_success or (self._model.kind != "webhook" and not _taken(answer)):
            raise Undelivered("告警地址没有接收：{why}", why=f"HTTP {answer.status_code}{_code(answer)}")

    def _post(self, url: str, sign: str | None, body: bytes) -> httpx.Response:
        headers, extra = {"Content-Type": "application/json; charset=utf-8"}, {}
        if sign is not None and self._model.kind == "webhook":
            stamp = str(int(self._now()))
            signed = hmac.digest(sign.encode(), f"{stamp}.".encode() + body, "sha256")
            headers |= {"X-Shuqiao-Timestamp": stamp, "X-Shuqiao-Signature": signed.hex()}
        elif sign is not None and self._model.kind == "dingtalk":
            stamp = str(int(self._now() * 1000))
            signed = hmac.digest(sign.encode(), f"{stamp}\n{sign}".encode(), "sha256")
            extra = {"timestamp": stamp, "sign": base64.b64encode(signed).decode()}
        address = httpx.URL(url).copy_merge_params(extra)
        with httpx.Client(timeout=SECONDS, trust_env=False, follow_redirects=False) as client:
            return client.post(address, content=body, headers=headers)


def _wecom(message: Message) -> object:
    for most in range(LINES, 0, -1):
        content = "\n> ".join((f"**{message.title()}**", *message.body(most)))
        if len(content.encode()) <= WECOM_BYTES:
            break
    return {"msgtype": "markdown", "markdown": {"content": content}}


def _dingtalk(message: Message) -> object:
    text = "\n\n".join((f"### {message.title()}", *(f"- {line}" for line in message.body())))
    return {"msgtype": "markdown", "markdown": {"title": message.title(), "text": text}}


_BODIES: Final[dict[str, Callable[[Message], object]]] = {
    "webhook": Message.as_dict,
    "wecom": _wecom,
    "dingtalk": _dingtalk,
}


def _taken(answer: httpx.Response) -> bool:
    return _errcode(answer) == 0


def _errcode(answer: httpx.Response) -> object:
    try:
        said = msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return None
    return said.get("errcode") if isinstance(said, dict) else None


def _code(answer: httpx.Response) -> str:
    code = _errcode(answer)
    return f", errcode {code}" if isinstance(code, int) and code else ""


def _reason(error: Exception) -> str:
    """The kind of failure alone: a text of a library may hold the address, and with it the robot's key."""
    if isinstance(error, LookupError):
        return str(error)
    return f"SMTP {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else type(error).__name__
