"""What is outside the vault cannot be confirmed by guessing: a dictionary of a whole county's ID numbers finds nothing.

An ID number has few unknown digits. Whoever can recompute a hash from one finds every person of a county in minutes, so
nothing on the chain, in the shared folder, or among names and fingerprints may follow from a number without a secret.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import pytest

from gateway.proof import GM, INTL, canonical, commit, merkle
from gateway.proof.suite import framed
from gateway.store.tables import metadata
from schemas.identifiers import id_check_char
from tests.support.anvil import Anvil, anvil, declared, missing, new_key
from tests.support.house import House, house
from tests.support.verbs import shuqiao

pytestmark = pytest.mark.sockets
GUESSED_KEYS = (b"", b"\0" * 32, b"360981", b"shuqiao", b"names")
DOMAINS = ("", "subject\0", "observation\0", "raw\0", "household_member\0")
HASHES = ("sha256", "sm3", "sha1", "md5", "sha512", "sha3_256", "blake2b", "blake2s")


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil | None]:
    """A consortium chain beside the ledger, where a node can run."""
    with ExitStack() as stack:
        yield None if missing() else stack.enter_context(anvil())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, node: Anvil | None) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BANK", new_key())
        sinks = {"bank": declared(node.url, "BANK")} if node else {}
        with house(tmp_path_factory.mktemp("blind"), patch, households=40, sinks=sinks) as opened:
            for name in sinks:
                assert shuqiao(opened.gateway.settings, "chain", "deploy", name).exit_code == 0
            opened.sync()
            opened.gateway.forwarder.forward()
            yield opened


def dictionary(made: House) -> list[str]:
    """Everybody who really is in the county, among everybody who could be: every serial of some days of birth."""
    people = [m.id_no for h in made.agencies.world._members.population.households for m in h.members]
    days = sorted({number[6:14] for number in people})[:20]
    others = [f"360999{day}{serial:03d}" for day, serial in product(days, range(0, 1000, 25))]
    return people + [stem + id_check_char(stem) for stem in others]


def guesses(number: str) -> Iterator[bytes]:
    """Every hash that somebody without a secret would try."""
    for domain in DOMAINS:
        raw = f"{domain}{number}".encode()
        for name in HASHES:
            yield hashlib.new(name, raw).digest()
        for size in (16, 20):
            yield hashlib.blake2b(raw, digest_size=size).digest()
        for key in GUESSED_KEYS:
            for name in ("sha256", "sm3", "sha512"):
                yield hmac.digest(key, raw, name)
            yield hashlib.blake2b(raw, digest_size=20, key=key).digest()
            yield hashlib.blake2b(raw, digest_size=32, key=key).digest()
    for suite in (INTL, GM):
        yield merkle.leaf_hash(suite.hash, number.encode())
        yield suite.hash(framed(number.encode()))
        for salt in (b"", bytes(32)):
            for values in ({"id_no": number}, {"subject": number}):
                yield commit(suite, "household_member/1", "subject", salt, canonical(values))


def on_chain(node: Anvil) -> list[bytes]:
    """Every byte of every transaction and event at the node, and the contract's whole state as the node writes it down."""
    out = []
    for number in range(int(node.rpc("eth_blockNumber"), 16) + 1):
        block = node.rpc("eth_getBlockByNumber", hex(number), True)
        logs = node.rpc("eth_getLogs", {"fromBlock": hex(number), "toBlock": hex(number)})
        out += [bytes.fromhex(tx["input"][2:]) for tx in block["transactions"]]
        out += [bytes.fromhex(text[2:]) for log in logs for text in (log["data"], *log["topics"])]
    return [*out, gzip.decompress(bytes.fromhex(node.rpc("anvil_dumpState")[2:]))]


def outside(made: House) -> bytes:
    """All that leaves the vault: chain, shared folder, and the store's names, fingerprints and statements, raw and as text."""
    data = made.gateway.settings.data
    files = [data / "chain.db", data / "chain.db-wal", *(p for p in (data / "shared").rglob("*") if p.is_file())]
    out = [path.read_bytes() for path in files if path.exists()]
    chain = made.gateway.chains["local"]
    for block, _manifest in chain.blocks(made.gateway.signer.public):  # type: ignore[attr-defined]
        out.append(block.manifest)
    for path in (data / "shared" / "payloads").iterdir():
        for line in path.read_bytes().splitlines()[1:]:
            version = json.loads(line)
            out.append(base64.b32decode(version["envelope"]["handle"].upper()))
            out += [bytes.fromhex(group["commitment"]) for group in version["groups"].values()]
            out += [bytes.fromhex(version["envelope"]["evidence"] or "")]
    with made.gateway.store.engine.connect() as connection:
        for table in ("evidence", "observation", "name", "segment", "quarantine"):
            for row in connection.execute(metadata.tables[table].select()):
                for value in row:
                    if isinstance(value, int) and -(2**63) <= value < 2**63:
                        out.append(value.to_bytes(8, "big", signed=True))
                    else:
                        out.append(value if isinstance(value, bytes) else str(value).encode())
    return b"\n".join(out)


def found(text: bytes, numbers: list[str]) -> int:
    """How many guesses are there, by their first eight bytes: raw, as hex or as base32."""
    raw = {text[i : i + 8] for i in range(len(text) - 7)}
    wide = {text[i : i + 12] for i in range(len(text) - 11)}
    hits = 0
    for number in numbers:
        for guess in guesses(number):
            spelt = (guess.hex().encode()[:12], base64.b32encode(guess).lower()[:12])
            hits += guess[:8] in raw or any(s in wide for s in spelt)
    return hits


def test_a_dictionary_of_the_county_finds_nothing(made: House) -> None:
    numbers, text = dictionary(made), outside(made)
    assert len(numbers) > 900
    assert len(text) > 500_000
    assert found(text, numbers) == 0


def test_nor_does_it_at_the_node_of_a_consortium(made: House, node: Anvil | None) -> None:
    if node is None:
        pytest.skip(str(missing()))
    batches = [manifest.batch_id for _block, manifest in made.gateway.chains["bank"].blocks(made.gateway.signer.public)]  # type: ignore[attr-defined]
    text = b"\n".join(on_chain(node))
    assert all(bytes.fromhex(batch) in text for batch in batches)
    assert len(batches) > 5
    assert found(text, dictionary(made)) == 0


@pytest.mark.parametrize("spelling", [bytes, lambda b: b.hex().encode(), lambda b: base64.b32encode(b).lower()])
def test_the_search_would_find_one(made: House, spelling: object, tmp_path: Path) -> None:
    """One careless hash of one person, in any spelling, among all of it."""
    someone = dictionary(made)[3]
    for careless in (
        hashlib.sha256(someone.encode()).digest(),
        hashlib.new("sm3", someone.encode()).digest(),
        hashlib.blake2b(f"subject\0{someone}".encode(), digest_size=20).digest(),
        commit(INTL, "household_member/1", "subject", b"", canonical({"id_no": someone})),
    ):
        assert found(b"before" + spelling(careless) + b"after", [someone]) > 0  # type: ignore[operator]
