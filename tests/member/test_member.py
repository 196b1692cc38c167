from __future__ import annotations

import json
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.chain import ChainBroken, LocalChain
from gateway.member import Report, fetch, keygen, load_key, load_signer, verify
from gateway.proof import (
    DirectoryPayloadStore,
    KeyMalformed,
    MemberKey,
    MemberPublic,
    SealedBatch,
    issue_keys,
    keys_folder,
    payload_name,
)
from tests.proof.sample import OTHER_SIGNER, SIGNER, chain_of, sealed, secrets_of, statements
from tests.support.suite import SUITE, member_key

SIZE = 12


@dataclass
class Consortium:
    """One gateway's shared folder and ledger, and one member."""

    root: Path
    batches: list[SealedBatch]
    key: MemberKey
    store: DirectoryPayloadStore

    @property
    def headers(self) -> Path:
        return self.root / "headers.jsonl"

    @property
    def ledger(self) -> Path:
        return self.root / "chain.db"

    def grant(self, at: int, *groups: str, issue: int = 1, key: MemberKey | None = None) -> str:
        items = statements(SIZE, at * SIZE)
        member = (key or self.key).public
        file = issue_keys(self.batches[at].batch_id, member, secrets_of(items, *groups), issue=issue)
        self.store.put(file.name, file.content)
        return file.name

    def verify(self, *, out: Path | None = None, ledger: Path | None = None) -> Report:
        return verify(self.store.path, self.key, SIGNER.public, headers=self.headers, out=out, ledger=ledger)

    def payload(self, at: int) -> Path:
        return self.store.path / payload_name(self.batches[at].manifest.payload_digest)


@pytest.fixture
def consortium(tmp_path: Path) -> Consortium:
    made = Consortium(tmp_path, chain_of(3, SIZE), member_key(), DirectoryPayloadStore(tmp_path / "shared"))
    chain = LocalChain(made.ledger, SIGNER)
    for at, batch in enumerate(made.batches):
        made.store.put(payload_name(batch.manifest.payload_digest), batch.payload)
        made.grant(at, "content", "holder/0")
        chain.submit(batch.manifest_bytes, batch.signature)
    chain.export_headers(made.headers)
    chain.close()
    return made


def test_everything_granted_is_opened_and_nothing_else(consortium: Consortium) -> None:
    out = consortium.root / "opened.jsonl"
    report = consortium.verify(out=out)
    # three tombstones in 36 versions
    assert report.ok
    assert (report.batches, report.versions, report.groups_opened, report.groups_closed) == (3, 36, 66, 66)
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["envelope"]["op"] for line in lines].count("gone") == 3
    assert lines[4]["groups"]["holder/0"] == {"name": "甲4", "id_no": "360999197001010004"}
    assert {g for line in lines for g in line["groups"]} == {"content", "holder/0"}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_the_ledger_itself_tells_the_same(consortium: Consortium) -> None:
    by_ledger = verify(consortium.store.path, consortium.key, SIGNER.public, ledger=consortium.ledger)
    assert by_ledger == consortium.verify()


def test_one_chain_is_named(consortium: Consortium) -> None:
    with pytest.raises(ValueError, match="either"):
        verify(consortium.store.path, consortium.key, SIGNER.public)
    with pytest.raises(ValueError, match="either"):
        consortium.verify(ledger=consortium.ledger)


def test_a_member_works_with_an_empty_environment_and_nothing_of_ours(consortium: Consortium) -> None:
    program = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from gateway import member
root = Path(sys.argv[2])
report = member.verify(root / "shared", member.load_key(root / "bank.key"), member.load_signer(root / "signer.pub"), headers=root / "headers.jsonl")
forbidden = [m for m in sys.modules if m.split(".")[0] in ("schemas", "adapters", "sqlalchemy", "pydantic", "typer")]
forbidden += [m for m in sys.modules if m.startswith("gateway.") and m.split(".")[1] not in ("chain", "proof", "member", "errors")]
print(report.ok, report.groups_opened, forbidden)
"""
    (consortium.root / "bank.key").write_text(consortium.key.text)
    (consortium.root / "signer.pub").write_text(SIGNER.public_text)
    repository = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program, repository, str(consortium.root)],
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True 66 []\n", "")


def test_a_missing_payload_is_named_and_the_rest_is_verified(consortium: Consortium) -> None:
    consortium.payload(1).unlink()
    report = consortium.verify()
    assert [(p.code, p.block, p.batch) for p in report.problems] == [
        ("PAYLOAD_MISSING", 2, consortium.batches[1].batch_id)
    ]
    assert report.problems[0].sentence.startswith("区块 2：")
    assert report.batches == 2


@pytest.mark.parametrize("at", [0, 300, 2000, -1])
def test_an_altered_payload_is_named(consortium: Consortium, at: int) -> None:
    bent = bytearray(consortium.payload(2).read_bytes())
    bent[at] ^= 1
    consortium.payload(2).write_bytes(bytes(bent))
    assert [(p.code, p.block) for p in consortium.verify().problems] == [("PAYLOAD_ALTERED", 3)]


def test_a_forged_chain_stops_everything(consortium: Consortium) -> None:
    with pytest.raises(ChainBroken, match="签名者"):
        verify(consortium.store.path, consortium.key, OTHER_SIGNER.public, headers=consortium.headers)
    lines = consortium.headers.read_bytes().splitlines(keepends=True)
    consortium.headers.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(ChainBroken, match=r"^区块 3：缺失"):
        consortium.verify()


def test_another_member_opens_nothing(consortium: Consortium) -> None:
    other = MemberKey.new(SUITE)
    report = verify(consortium.store.path, other, SIGNER.public, headers=consortium.headers)
    assert report.ok
    assert (report.groups_opened, report.groups_closed) == (0, 132)
    # even when somebody puts our key file where theirs would be
    ours = consortium.store.names(keys_folder(consortium.batches[0].batch_id, consortium.key.public))[0]
    stolen = f"{keys_folder(consortium.batches[0].batch_id, other.public)}/000001-x"
    consortium.store.put(stolen, consortium.store.get(ours))
    report = verify(consortium.store.path, other, SIGNER.public, headers=consortium.headers)
    assert [(p.code, p.block) for p in report.problems] == [("KEYS_UNREADABLE", 1)]
    assert report.groups_opened == 0


def test_keys_are_issued_again_without_touching_the_payload(consortium: Consortium) -> None:
    before = consortium.payload(0).stat().st_mtime_ns
    consortium.grant(0, "content", "holder/0", "holder/1", "money", issue=2)
    assert consortium.verify().groups_opened == 66 + 22
    consortium.grant(0, issue=3)
    report = consortium.verify()
    assert (report.ok, report.groups_opened, report.groups_closed) == (True, 44, 88)
    assert consortium.payload(0).stat().st_mtime_ns == before


def test_a_late_member_is_served(consortium: Consortium) -> None:
    late = MemberKey.new(SUITE)
    for at in range(3):
        consortium.grant(at, "money", key=late)
    report = verify(consortium.store.path, late, SIGNER.public, headers=consortium.headers)
    assert (report.ok, report.groups_opened) == (True, 33)


def test_keys_that_open_nothing_of_the_batch_are_named(consortium: Consortium) -> None:
    batch = consortium.batches[0]
    wrong = issue_keys(batch.batch_id, consortium.key.public, [{"money": bytes(64)}] + [{}] * (SIZE - 1), issue=2)
    consortium.store.put(wrong.name, wrong.content)
    assert [p.code for p in consortium.verify().problems] == ["GROUP"]
    short = issue_keys(batch.batch_id, consortium.key.public, [{}], issue=3)
    consortium.store.put(short.name, short.content)
    assert [p.code for p in consortium.verify().problems] == ["KEYS_UNREADABLE"]


def test_a_stream_that_lacks_a_batch_is_noticed(tmp_path: Path) -> None:
    whole, beef, cafe = chain_of(3, SIZE), sealed(2, stream="beef"), sealed(2, stream="cafe")
    skipping = sealed(2, 5, cafe.batch_id, stream="cafe")
    store, chain = DirectoryPayloadStore(tmp_path / "shared"), LocalChain(tmp_path / "chain.db", SIGNER)
    for batch in (whole[0], whole[2], beef, sealed(2, 3, "ab" * 32, stream="beef"), cafe, skipping):
        store.put(payload_name(batch.manifest.payload_digest), batch.payload)
        chain.submit(batch.manifest_bytes, batch.signature)
    report = verify(store.path, MemberKey.new(SUITE), SIGNER.public, ledger=tmp_path / "chain.db")
    assert [(p.code, p.block) for p in report.problems] == [("STREAM_GAP", n) for n in (2, 4, 6)]


def test_batches_confirmed_out_of_order_are_no_gap(tmp_path: Path) -> None:
    store, chain = DirectoryPayloadStore(tmp_path / "shared"), LocalChain(tmp_path / "chain.db", SIGNER)
    for batch in reversed(chain_of(3, SIZE)):
        store.put(payload_name(batch.manifest.payload_digest), batch.payload)
        chain.submit(batch.manifest_bytes, batch.signature)
    assert verify(store.path, MemberKey.new(SUITE), SIGNER.public, ledger=tmp_path / "chain.db").ok


def test_what_was_fetched_verifies_elsewhere(consortium: Consortium) -> None:
    mine = consortium.root / "mine"
    told: list[tuple[int, int]] = []
    fetched = fetch(
        consortium.store.path,
        consortium.key,
        SIGNER.public,
        mine,
        headers=consortium.headers,
        on_batch=lambda done, of: told.append((done, of)),
    )
    assert (fetched.batches, fetched.copied, fetched.problems) == (3, 6, [])
    assert told == [(1, 3), (2, 3), (3, 3)]
    report = verify(mine, consortium.key, SIGNER.public, headers=mine / "headers.jsonl")
    assert report == consortium.verify()
    again = fetch(consortium.store.path, consortium.key, SIGNER.public, mine, ledger=consortium.ledger)
    assert (again.batches, again.copied, again.head) == (3, 0, fetched.head)


def test_a_fetch_takes_new_issues_and_withdraws_old_ones(consortium: Consortium) -> None:
    mine = consortium.root / "mine"
    fetch(consortium.store.path, consortium.key, SIGNER.public, mine, headers=consortium.headers)
    consortium.grant(0, "money", issue=2)
    assert fetch(consortium.store.path, consortium.key, SIGNER.public, mine, headers=consortium.headers).copied == 1
    folder = keys_folder(consortium.batches[0].batch_id, consortium.key.public)
    assert [name.rpartition("/")[2][:6] for name in DirectoryPayloadStore(mine).names(folder)] == ["000002"]


def test_a_fetch_names_what_is_missing_or_altered_and_copies_neither(consortium: Consortium) -> None:
    consortium.payload(0).unlink()
    consortium.payload(1).write_bytes(b"other")
    mine = consortium.root / "mine"
    fetched = fetch(consortium.store.path, consortium.key, SIGNER.public, mine, headers=consortium.headers)
    assert [(p.code, p.block) for p in fetched.problems] == [("PAYLOAD_MISSING", 1), ("PAYLOAD_ALTERED", 2)]
    assert len(DirectoryPayloadStore(mine).names("payloads")) == fetched.batches == 1


def test_a_fetch_notices_a_chain_that_forgot(consortium: Consortium) -> None:
    mine = consortium.root / "mine"
    fetch(consortium.store.path, consortium.key, SIGNER.public, mine, headers=consortium.headers)
    short = LocalChain(consortium.root / "short.db", SIGNER)
    short.submit(consortium.batches[0].manifest_bytes, consortium.batches[0].signature)
    with pytest.raises(ChainBroken):
        fetch(consortium.store.path, consortium.key, SIGNER.public, mine, ledger=consortium.root / "short.db")


def test_keygen_writes_a_pair_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "bank.key"
    public = keygen(path)
    assert load_key(path).public == public == MemberPublic.parse(path.with_suffix(".pub").read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(KeyMalformed, match="不会覆盖"):
        keygen(path)
    assert load_key(path).public == public


def test_a_signer_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "signer.pub").write_text(SIGNER.public_text + "\n")
    assert load_signer(tmp_path / "signer.pub") == SIGNER.public
    with pytest.raises(KeyMalformed, match="none"):
        load_signer(tmp_path / "none")
