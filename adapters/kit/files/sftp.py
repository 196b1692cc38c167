"""A drop behind SFTP. asyncssh is an extra (`pip install shuqiao[sftp]`), loaded when the first such source is opened.

asyncssh is licensed under EPL-2.0, or GPL-2.0-or-later at the user's choice: it is used, never changed or copied, and a
gateway without SFTP sources does not need it. It is asynchronous; here each call runs its own little loop to the end.
A file is copied before it is read: a table is walked more than once, and the agency may replace it meanwhile. The copy
has no name and goes with the process, but what exceeds memory lies on the disk of TMPDIR for that long.
"""

from __future__ import annotations

import asyncio
import stat
import tempfile
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import unquote, urlsplit

from adapters.kit.errors import SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.files.names import Entry

T = TypeVar("T")

CHUNK: Final = 4 << 20


class SftpDrop:
    """A folder on an SFTP server whose key is known beforehand. Connects at the first call, and again after a failure."""

    def __init__(self, url: str, *, host_key: str | None, login: str, secret: str, deadline: float) -> None:
        """Reads the address.

        Raises:
            SourceDenied: EXTRA_MISSING, asyncssh is not installed; HOST_KEY, none is configured, or it is none.
        """
        try:
            import asyncssh
        except ImportError as error:
            raise SourceDenied("EXTRA_MISSING", "没有安装 SFTP 组件，请运行 pip install 'shuqiao[sftp]'") from error
        self._ssh: Any = asyncssh
        parts = urlsplit(url)
        self._folder = unquote(parts.path)
        self._deadline = deadline
        self._loop: asyncio.Runner | None = None
        self._connection: Any = None
        self._client: Any = None
        if host_key is None:
            raise SourceDenied("HOST_KEY", "请在数据源里写明 SFTP 服务器的公钥 host_key，否则不能确认对方是谁")
        try:
            trusted = asyncssh.import_public_key(host_key)
            keys = [asyncssh.import_private_key(secret)] if login == "private_key" else ()
        except asyncssh.KeyImportError as error:
            sentence = "host_key 或账号的 private_key 不是可用的 SSH 密钥，请核对"
            raise SourceDenied("HOST_KEY", sentence) from error
        self._how: dict[str, Any] = {
            "host": parts.hostname,
            "port": parts.port or 22,
            "username": unquote(parts.username or ""),
            "password": secret if login == "password" else None,
            "client_keys": keys,
            "known_hosts": ([trusted], [], []),
            "config": (),
            "agent_path": None,
            "preferred_auth": "publickey" if keys else "password,keyboard-interactive",
            "connect_timeout": deadline,
            "login_timeout": deadline,
        }

    def list(self) -> list[Entry]:
        async def read() -> list[Entry]:
            found = await (await self._connected()).readdir(self._folder)
            return [
                Entry(str(item.filename), item.attrs.size or 0, float(item.attrs.mtime or 0))
                for item in found
                if stat.S_ISREG(item.attrs.permissions or 0)
            ]

        return self._run(self._within(read()))

    def open(self, name: str) -> BinaryIO:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 # the caller closes it

        async def read() -> None:
            client = await self._within(self._connected())
            remote = await self._within(client.open(f"{self._folder.rstrip('/')}/{name}", "rb"))
            try:
                offset = 0
                while chunk := await self._within(remote.read(CHUNK, offset)):
                    copy.write(chunk)
                    offset += len(chunk)
            finally:
                with suppress(self._ssh.Error, OSError):  # what went wrong while reading is what is told
                    await self._within(remote.close())

        try:
            self._run(read())
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def close(self) -> None:
        if self._loop is None:
            return
        if self._connection is not None:
            self._connection.abort()
            self._loop.run(self._connection.wait_closed())
        self._forget()
        self._loop.close()
        self._loop = None

    def _forget(self) -> None:
        self._connection = self._client = None

    async def _connected(self) -> Any:
        if self._client is None:
            self._connection = await self._ssh.connect(**self._how)
            self._client = await self._connection.start_sftp_client()
        return self._client

    async def _within(self, work: Awaitable[T]) -> T:
        """The result of one step. Raises TimeoutError.

        A step that is only cancelled says good-bye to the server first, and waits for its answer: so the line is cut before.
        """
        step = asyncio.ensure_future(work)
        await asyncio.wait({step}, timeout=self._deadline)
        if not step.done():
            if self._connection is not None:
                self._connection.abort()
            step.cancel()
            await asyncio.wait({step}, timeout=self._deadline)
            raise TimeoutError
        return step.result()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        self._loop = self._loop or asyncio.Runner()
        try:
            return self._loop.run(work)
        except Exception as error:
            found = self._classified(error)
            if isinstance(found, SourceUnavailable):
                self.close()
            raise found from error

    def _classified(self, error: Exception) -> SourceError:
        ssh = self._ssh
        if isinstance(error, ssh.HostKeyNotVerifiable):
            sentence = "SFTP 服务器的公钥与 host_key 不符：可能换了机器，也可能有人冒充，请与部门核实"
            return SourceDenied("HOST_KEY", sentence)
        if isinstance(error, (ssh.PermissionDenied, ssh.SFTPPermissionDenied)):
            return SourceDenied("AUTH_CONFIG", "SFTP 服务器拒绝了本账号，请核对账号、密码与目录权限")
        if isinstance(error, (ssh.SFTPNoSuchFile, ssh.SFTPNoSuchPath)):
            return SourceMalformed("FOLDER_MISSING", "SFTP 服务器上没有约定的目录或文件，请部门核对")
        return SourceUnavailable("NETWORK", "SFTP 连接失败或超时，请检查网络、地址与对方服务")
