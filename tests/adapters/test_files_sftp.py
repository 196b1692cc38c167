"""A drop behind SFTP, against an asyncssh server on loopback: the same promises, and who has to act when it refuses."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from adapters.kit import Ports, SourceDenied, SourceError, SourceMalformed, SourceUnavailable
from adapters.kit.recording import run
from tests.adapters.drops import HEADER, NAME, NOW, Folder, as_csv, ids, row, rows
from tests.adapters.payments import Payments

pytestmark = pytest.mark.sockets

PASSWORD = "sftp-password-7f"
IDS = [cells[0] for cells in rows(25)]


@dataclass
class Desk:
    """The server and its folder."""

    folder: Folder
    port: int
    host_key: str
    client_key: str
    ports: Callable[..., Ports]
    denied: set[str] = field(default_factory=set)
    opened: list[str] = field(default_factory=list)
    stalled: str = ""
    connections: list[Any] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def adapter(self, *, password: str = PASSWORD, **settings: Any) -> Payments:
        said = {
            "directory": f"sftp://agency@127.0.0.1:{self.port}/",
            "host_key": self.host_key,
            "deadline": 5,
            **settings,
        }
        secrets = {"password": password, "private_key": self.client_key}
        ports = self.ports(secrets=secrets, now=lambda: NOW)
        return Payments(ports, Payments.Settings.model_validate(said), "360981")


@pytest.fixture
def desk(tmp_path: Path, build_ports: Callable[..., Ports]) -> Iterator[Desk]:
    key, client = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    made = Desk(
        Folder(tmp_path),
        0,
        key.export_public_key().decode().strip(),
        client.export_private_key().decode(),
        build_ports,
    )

    class Door(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            made.connections.append(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("agency", PASSWORD)

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: Any) -> bool:
            return bool(key == client.convert_to_public())

    class Room(asyncssh.SFTPServer):
        def __init__(self, channel: Any) -> None:
            super().__init__(channel, chroot=str(tmp_path).encode())

        def open(self, path: bytes, pflags: int, attrs: Any) -> Any:
            made.opened.append(path.decode())
            if path.decode().lstrip("/") in made.denied:
                raise asyncssh.SFTPPermissionDenied("no")
            return super().open(path, pflags, attrs)

        async def _stall(self, what: str) -> None:
            if made.stalled == what:
                await asyncio.sleep(3600)

        async def read(self, file_obj: Any, offset: int, size: int) -> Any:
            try:
                await self._stall("read")
            except asyncio.CancelledError:
                file_obj.close()
                raise
            return super().read(file_obj, offset, size)

        async def scandir(self, path: bytes) -> Any:
            await self._stall("list")
            async for entry in super().scandir(path):
                yield entry

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    listening = asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[key], sftp_factory=Room, allow_scp=False
    )
    server: Any = asyncio.run_coroutine_threadsafe(_await(listening), loop).result(10)
    made.port = server.get_port()

    async def shut() -> None:
        server.close()
        for connection in made.connections:
            connection.abort()
        await server.wait_closed()
        for connection in made.connections:
            await connection.wait_closed()
        stalled = asyncio.all_tasks() - {asyncio.current_task()}
        for task in stalled:
            task.cancel()
        await asyncio.gather(*stalled, return_exceptions=True)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(shut(), loop).result(10)
        made.connections.clear()

    made.stop = stop
    yield made
    made.stop()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


async def _await(made: Any) -> Any:
    return await made


def read(adapter: Payments, cursor: Any = None) -> list[str]:
    try:
        return ids(run(adapter, "payment", cursor, 99)[0])
    finally:
        adapter.close()


def refused(adapter: Payments, kind: type[SourceError]) -> SourceError:
    with pytest.raises(kind) as caught:
        read(adapter)
    said = f"{caught.value} {caught.value.facts}"
    assert PASSWORD not in said
    assert "wrong" not in said
    return caught.value


@pytest.mark.parametrize("login", ["password", "private_key"])
def test_a_drop_is_read_by_either_login(desk: Desk, login: str) -> None:
    desk.folder.put(as_csv([HEADER, *rows(25)]))
    folder = desk.folder.path / NAME.replace("001", "002")
    folder.mkdir()
    desk.folder.age(folder, 9000)
    assert read(desk.adapter(login=login, page_size=10)) == IDS


def test_a_crash_goes_on_and_a_file_replaced_meanwhile_does_not_mix(desk: Desk) -> None:
    """What is read is a copy that was verified: a replaced file is another delivery."""
    desk.folder.put(as_csv([HEADER, *rows(25)]))
    adapter = desk.adapter(page_size=10)
    page = adapter.fetch("payment", None)
    desk.folder.put(as_csv([HEADER, *rows(9, first=500)]), age=5)
    second = adapter.fetch("payment", page.after(None))
    assert ids([page, second]) == IDS[:20]
    cursor = second.after(None)
    adapter.close()
    assert read(desk.adapter(page_size=10), cursor) == [cells[0] for cells in rows(9, first=500)]


def test_a_large_file_comes_whole(desk: Desk) -> None:
    table = as_csv([HEADER, *rows(60_000)])
    assert len(table.encode("gb18030")) > 4 << 20
    desk.folder.put(table)
    assert read(desk.adapter(page_size=10_000)) == [row(n)[0] for n in range(1, 60_001)]


def test_what_was_taken_is_not_fetched_again(desk: Desk) -> None:
    desk.folder.put(as_csv([HEADER, *rows(2)]))
    adapter = desk.adapter()
    _, cursor = run(adapter, "payment", None, 9)
    desk.opened.clear()
    page = adapter.fetch("payment", cursor)
    adapter.close()
    assert (page.unchanged, desk.opened) == (True, [])


def test_a_wrong_password_needs_a_person(desk: Desk) -> None:
    assert refused(desk.adapter(password="wrong"), SourceDenied).code == "AUTH_CONFIG"


def test_another_server_in_its_place_needs_a_person(desk: Desk) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    assert refused(desk.adapter(host_key=other), SourceDenied).code == "HOST_KEY"


def test_a_server_is_never_trusted_unseen(desk: Desk) -> None:
    assert refused(desk.adapter(host_key=None), SourceDenied).code == "HOST_KEY"
    assert refused(desk.adapter(host_key="ssh-ed25519 AAAA"), SourceDenied).code == "HOST_KEY"
    assert desk.connections == []


def test_a_file_that_may_not_be_read_needs_a_person(desk: Desk) -> None:
    desk.folder.put(as_csv([HEADER, *rows(2)]))
    desk.denied.add(NAME)
    assert refused(desk.adapter(), SourceDenied).code == "AUTH_CONFIG"


def test_a_folder_that_is_not_there_is_the_agencys_matter(desk: Desk) -> None:
    adapter = desk.adapter(directory=f"sftp://agency@127.0.0.1:{desk.port}/absent")
    assert refused(adapter, SourceMalformed).code == "FOLDER_MISSING"


def test_nobody_listens(desk: Desk) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    adapter = desk.adapter(directory=f"sftp://agency@127.0.0.1:{port}/")
    assert refused(adapter, SourceUnavailable).code == "NETWORK"


def test_a_server_that_says_nothing_is_left_at_the_deadline(desk: Desk) -> None:
    began = time.monotonic()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        adapter = desk.adapter(directory=f"sftp://agency@127.0.0.1:{silent.getsockname()[1]}/", deadline=0.3)
        assert refused(adapter, SourceUnavailable).code == "NETWORK"
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("what", ["list", "read"])
def test_a_server_that_stops_in_the_middle_is_left_at_the_deadline(desk: Desk, what: str) -> None:
    """It has logged us in and answers no more."""
    desk.folder.put(as_csv([HEADER, *rows(2)]))
    desk.stalled = what
    began = time.monotonic()
    assert refused(desk.adapter(deadline=1), SourceUnavailable).code == "NETWORK"
    assert time.monotonic() - began < 1.9


def test_a_broken_connection_is_made_anew(desk: Desk) -> None:
    desk.folder.put(as_csv([HEADER, *rows(2)]))
    adapter = desk.adapter()
    _, cursor = run(adapter, "payment", None, 9)
    for connection in desk.connections:
        connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    with pytest.raises(SourceUnavailable):
        adapter.fetch("payment", cursor)
    assert adapter.fetch("payment", cursor).unchanged
    adapter.close()


def test_the_extra_is_missing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    error = refused(desk.adapter(), SourceDenied)
    assert (error.code, str(error)) == ("EXTRA_MISSING", "没有安装 SFTP 组件，请运行 pip install 'shuqiao[sftp]'")


def test_without_sftp_nothing_of_it_is_loaded() -> None:
    import subprocess

    script = "import sys, adapters.kit; print('asyncssh' in sys.modules, 'python_calamine' in sys.modules)"
    root = Path(__file__).parents[2]
    told = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True).stdout
    assert told.split() == ["False", "False"]
