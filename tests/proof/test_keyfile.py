from __future__ import annotations

from pathlib import Path

import pytest

from gateway.proof import (
    DirectoryPayloadStore,
    KeyMalformed,
    KeysUnreadable,
    MemberKey,
    MemberPublic,
    PayloadAltered,
    PayloadMissing,
    PublicKey,
    issue_keys,
    keys_folder,
    open_keys,
)
from tests.proof.sample import SIGNER, sealed, secrets_of, statements
from tests.support.suite import SUITE, member_key

KEY = member_key()
BATCH = sealed().batch_id
SECRETS = secrets_of(statements(12), "content")


def test_a_member_reads_what_was_granted() -> None:
    assert open_keys(KEY, BATCH, issue_keys(BATCH, KEY.public, SECRETS).content) == SECRETS


def test_another_member_reads_nothing() -> None:
    file = issue_keys(BATCH, KEY.public, SECRETS)
    other = MemberKey.new(SUITE)
    with pytest.raises(KeysUnreadable, match="不是给本成员"):
        open_keys(other, BATCH, file.content)
    claimed = file.content.replace(KEY.public.id.encode(), other.public.id.encode())
    with pytest.raises(KeysUnreadable, match="打不开"):
        open_keys(other, BATCH, claimed)


def test_a_key_file_is_for_one_batch() -> None:
    file = issue_keys(BATCH, KEY.public, SECRETS)
    with pytest.raises(KeysUnreadable):
        open_keys(KEY, "0" * 64, file.content)
    with pytest.raises(KeysUnreadable, match="打不开"):
        open_keys(KEY, "0" * 64, file.content.replace(BATCH.encode(), b"0" * 64))


def test_any_changed_byte_makes_it_unreadable() -> None:
    content = issue_keys(BATCH, KEY.public, secrets_of(statements(1), "money")).content
    for at in range(len(content)):
        bent = bytearray(content)
        bent[at] ^= 1
        with pytest.raises(KeysUnreadable):
            open_keys(KEY, BATCH, bytes(bent))


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b'{"format":1}\nx'])
def test_what_is_no_key_file_is_unreadable(content: bytes) -> None:
    with pytest.raises(KeysUnreadable):
        open_keys(KEY, BATCH, content)


def test_a_key_file_of_another_format_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as later:
        later.setattr("gateway.proof.keyfile.FORMAT", "shuqiao-keys/2")
        content = issue_keys(BATCH, KEY.public, SECRETS).content
    with pytest.raises(KeysUnreadable):
        open_keys(KEY, BATCH, content)


def test_a_key_of_another_length_is_not_used() -> None:
    with pytest.raises(KeysUnreadable, match="长度"):
        open_keys(KEY, BATCH, issue_keys(BATCH, KEY.public, [{"money": b"short"}]).content)


def test_later_issues_sort_last_and_share_a_folder() -> None:
    names = [issue_keys(BATCH, KEY.public, SECRETS, issue=n).name for n in (1, 2, 10)]
    assert sorted(names) == names
    assert {name.rpartition("/")[0] for name in names} == {keys_folder(BATCH, KEY.public)}


def test_each_issue_has_its_own_key_and_name() -> None:
    one, two = (issue_keys(BATCH, KEY.public, SECRETS) for _ in range(2))
    assert one.name != two.name
    assert one.content != two.content


def test_keys_are_written_and_read_as_text() -> None:
    assert MemberKey.parse(f" {KEY.text}\n") == KEY
    assert MemberPublic.parse(KEY.public.text) == KEY.public
    assert PublicKey.parse(SIGNER.public_text + "\n") == SIGNER.public
    assert "raw" not in repr(KEY)


@pytest.mark.parametrize("text", ["", "x25519:", "x25519:AAAA", "ed25519:!!", KEY.public.text, "x25519-private:甲"])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(KeyMalformed) as failure:
        MemberKey.parse(text)
    assert not text or text not in str(failure.value)


def test_a_payload_store_keeps_whole_files_once(tmp_path: Path) -> None:
    store = DirectoryPayloadStore(tmp_path / "shared")
    store.put("payloads/ab", b"one")
    store.put("payloads/ab", b"one")
    with pytest.raises(PayloadAltered, match="同名"):
        store.put("payloads/ab", b"two")
    assert store.get("payloads/ab") == b"one"
    store.put("payloads/aa", b"")
    (tmp_path / "shared" / "payloads" / ".draft").write_bytes(b"half")
    assert store.names("payloads") == ["payloads/aa", "payloads/ab"]
    assert store.names("keys/x") == []
    store.remove("payloads/ab")
    store.remove("payloads/ab")
    with pytest.raises(PayloadMissing, match="payloads/ab"):
        store.get("payloads/ab")


@pytest.mark.parametrize("name", ["", "/etc", "../x", "a/../b", "a//b", ".hidden", "a/.b", "A", "a b", "a\nb"])
def test_a_name_never_leaves_the_store(tmp_path: Path, name: str) -> None:
    store = DirectoryPayloadStore(tmp_path)
    for act in (lambda: store.get(name), lambda: store.put(name, b""), lambda: store.remove(name)):
        with pytest.raises(ValueError, match="name"):
            act()


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DirectoryPayloadStore(tmp_path)

    def full(_handle: int) -> None:
        raise OSError("no space")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="space"):
        store.put("payloads/ab", b"one")
    assert list((tmp_path / "payloads").iterdir()) == []
