"""What is deleted for good leaves no bytes in SQLite's file or log."""

from __future__ import annotations

from pathlib import Path

from gateway.store import Store, upgrade


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("store.db*"))


def kept(tmp_path: Path, *, scrub: bool) -> bool:
    """Whether a deleted value is still somewhere in the files."""
    store = Store.at(tmp_path / "store.db")
    upgrade(store)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=0")
    with store.write() as tx:
        tx.run("secret_put", account="a", name="n", expires_at="", sealed=b"sesame" * 20)
        tx.run("secret_put", account="b", name="n", expires_at="", sealed=b"other" * 20)
    store.trim()
    with store.write(scrub=scrub) as tx:
        tx.run("renew_secret", account="a", name="n", was=b"sesame" * 20, sealed=b"")
    assert store.trim()
    found = b"sesame" in bytes_of(tmp_path)
    store.close()
    return found


def test_a_scrubbed_value_is_nowhere(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "scrubbed").mkdir()
    assert kept(tmp_path / "plain", scrub=False), "else this test shows nothing"
    assert not kept(tmp_path / "scrubbed", scrub=True)


def test_a_log_that_is_being_read_is_not_emptied(tmp_path: Path) -> None:
    store = Store.at(tmp_path / "store.db")
    upgrade(store)
    with store.read() as tx:
        assert tx.all("feeds") == []
        with store.write() as other:
            other.run("meta_put", key="k", value="v")
        assert not store.trim()
    assert store.trim()
    store.close()
