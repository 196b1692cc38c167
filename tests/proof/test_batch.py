from __future__ import annotations

import time
from dataclasses import replace

import msgspec
import pytest

from gateway.proof import (
    INTL,
    Manifest,
    PayloadAltered,
    ProofInvalid,
    Statement,
    build,
    canonical,
    open_group,
    read_payload,
    verify_manifest,
)
from gateway.proof.batch import ENVELOPE, version_root
from tests.proof.sample import (
    GROUPS,
    OTHER_SIGNER,
    SIGNER,
    batch_of,
    envelope,
    key_of,
    sealed,
    secrets_of,
    statement,
    statements,
)
from tests.support.suite import SUITE


def test_a_batch_is_a_function_of_its_content() -> None:
    assert replace(sealed(), signature=b"") == replace(sealed(), signature=b"")
    assert SUITE is not INTL or sealed() == sealed()
    assert sealed(11).batch_id != sealed(12).batch_id


def test_the_manifest_says_what_is_in_it() -> None:
    manifest = sealed(25).manifest
    assert (manifest.count, manifest.puts, manifest.gone) == (25, 23, 2)
    assert (manifest.first, manifest.last, manifest.kind) == (1, 25, "versions")
    assert Manifest.parse(manifest.encode()) == manifest


def test_what_was_sealed_reads_back_and_opens() -> None:
    batch, items = sealed(), statements(12)
    versions = read_payload(batch.manifest, batch.payload)
    assert [v.root(SUITE) for v in versions] == list(batch.roots)
    for version, item, secrets in zip(versions, items, secrets_of(items, *GROUPS), strict=True):
        assert version.envelope == item.envelope
        opened = {g: open_group(SUITE, version, g, secret) for g, secret in secrets.items()}
        assert {g: canonical(v) for g, v in opened.items()} == item.groups


def test_nothing_readable_is_in_a_payload() -> None:
    batch = sealed()
    for word in ("甲".encode(), b"3609991970", b"0.50", key_of(0)):
        assert word not in batch.payload
        assert word not in batch.manifest_bytes


def test_equal_groups_of_two_observations_look_different() -> None:
    one, two = statement(1), replace(statement(1), envelope=envelope(2), key=key_of(2))
    batch = build([one, two], batch_of(), SIGNER, SUITE)
    first, second = read_payload(batch.manifest, batch.payload)
    assert first.groups["content"].commitment != second.groups["content"].commitment
    assert first.groups["content"].ciphertext != second.groups["content"].ciphertext


def test_a_second_plaintext_under_a_key_does_not_repeat_its_key_stream() -> None:
    """Terms may change between two builds of one range; GCM must never meet a nonce twice."""
    one = statement(1)
    two = replace(one, groups={**one.groups, "content": canonical({"unit_no": "x" * 28, "right_status": "current"})})
    sealed_both = [build([s], batch_of(), SIGNER, SUITE) for s in (one, two)]
    a, b = (read_payload(x.manifest, x.payload)[0].groups["content"].ciphertext for x in sealed_both)
    plain = zip(one.groups["content"], two.groups["content"], strict=False)
    assert bytes(x ^ y for x, y in zip(a, b, strict=False))[:40] != bytes(x ^ y for x, y in plain)[:40]


@pytest.mark.parametrize("at", [0, 1, 20, 100, 500, 1000, -2, -1])
def test_a_changed_byte_of_a_payload_is_noticed(at: int) -> None:
    batch = sealed()
    bent = bytearray(batch.payload)
    bent[at] ^= 1
    with pytest.raises(PayloadAltered, match="摘要"):
        read_payload(batch.manifest, bytes(bent))


def _anchored(lines: list[bytes]) -> tuple[Manifest, bytes]:
    """A gateway that anchored a payload which is not what its manifest says."""
    payload = b"\n".join(lines)
    return msgspec.structs.replace(sealed().manifest, payload_digest=SUITE.hash(payload).hex()), payload


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b'"feed":"f00d"', b'"feed":"beef"', "ROOT"),
        (b'"county":"360981"', b'"county":"360982"', "ENVELOPE"),
        (b'"period":null', b'"per":null', "ENVELOPE"),
        (b'"op":"put"', b'"op":"was"', "ENVELOPE"),
        (b'"version":"1"', b'"version":"\xc2\xb2"', "ENVELOPE"),
        (b'"op":"put"', b'"op":"gone"', "ENVELOPE"),
        (b'"commitment":"', b'"commitment":"00', "GROUP"),
        (b'"money"', b'"monex"', "ROOT"),
        (b'"ciphertext"', b'"cipher"', "PAYLOAD"),
    ],
)
def test_a_payload_that_contradicts_its_manifest_is_named(old: bytes, new: bytes, code: str) -> None:
    lines = sealed().payload.split(b"\n")
    assert old in lines[1]
    lines[1] = lines[1].replace(old, new)
    with pytest.raises(ProofInvalid) as failure:
        read_payload(*_anchored(lines))
    assert failure.value.code == code


@pytest.mark.parametrize("member", ["format", "suite", "stream", "first", "count"])
def test_the_head_of_a_payload_belongs_to_the_manifest(member: str) -> None:
    lines = sealed().payload.split(b"\n")
    head = msgspec.json.decode(lines[0])
    lines[0] = msgspec.json.encode({**head, member: "9"})
    with pytest.raises(ProofInvalid, match="抬头"):
        read_payload(*_anchored(lines))


def test_a_missing_or_repeated_version_is_noticed() -> None:
    lines = sealed().payload.split(b"\n")
    with pytest.raises(ProofInvalid):
        read_payload(*_anchored([*lines[:3], *lines[4:]]))
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    with pytest.raises(ProofInvalid, match="默克尔根"):
        read_payload(*_anchored(swapped))


def test_a_batch_that_is_shorter_than_it_says_is_refused() -> None:
    lines = sealed().payload.split(b"\n")
    lines[0] = lines[0].replace(b'"count":"12"', b'"count":"13"')
    manifest, payload = _anchored(lines)
    with pytest.raises(ProofInvalid, match="条数"):
        read_payload(msgspec.structs.replace(manifest, last=13, count=13, puts=12), payload)


def test_counts_of_a_manifest_are_recounted() -> None:
    manifest = msgspec.structs.replace(sealed().manifest, puts=10, gone=2)
    with pytest.raises(ProofInvalid, match="条数"):
        read_payload(manifest, sealed().payload)


def test_a_key_opens_its_own_group_of_its_own_version_only() -> None:
    batch = sealed()
    versions = read_payload(batch.manifest, batch.payload)
    right = SUITE.expand(key_of(0), 1, "money")
    assert open_group(SUITE, versions[0], "money", right) == {"amount": "0.00"}
    for wrong in (
        SUITE.expand(key_of(0), 1, "content"),
        SUITE.expand(key_of(0), 2, "money"),
        SUITE.expand(key_of(1), 1, "money"),
        b"",
    ):
        with pytest.raises(ProofInvalid, match="money"):
            open_group(SUITE, versions[0], "money", wrong)
    with pytest.raises(ProofInvalid, match="没有披露组"):
        open_group(SUITE, versions[0], "none", right)


def test_a_key_with_another_salt_proves_nothing() -> None:
    batch = sealed()
    version = read_payload(batch.manifest, batch.payload)[0]
    secret = SUITE.expand(key_of(0), 1, "money")
    with pytest.raises(ProofInvalid, match="承诺"):
        open_group(SUITE, version, "money", secret[:32] + bytes(32))


@pytest.mark.parametrize(
    "wrong",
    [
        replace(statement(1), key=None),
        replace(statement(1), groups={"envelope": b"{}"}),
        replace(statement(1), groups={"content": b'{"b":"1","a":"2"}'}),
        replace(statement(1), groups={"content": b'{ "a":"2"}'}),
        replace(statement(1), envelope={**envelope(1), "county": "360982"}),
        replace(statement(1), envelope={**envelope(1), "schema": "homestead/2"}),
    ],
)
def test_nothing_wrong_is_sealed(wrong: Statement) -> None:
    with pytest.raises(ValueError):
        build([wrong], batch_of(), SIGNER, SUITE)


def test_a_group_of_numbers_is_not_canonical() -> None:
    with pytest.raises(TypeError, match="area"):
        build([replace(statement(1), groups={"content": b'{"area":1}'})], batch_of(), SIGNER, SUITE)


def test_an_empty_batch_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="empty"):
        build([], batch_of(), SIGNER, SUITE)


def test_content_erased_before_sealing_leaves_its_envelope() -> None:
    erased = replace(statement(1), groups={}, key=None)
    batch = build([erased], batch_of(), SIGNER, SUITE)
    assert read_payload(batch.manifest, batch.payload)[0].groups == {}


def test_a_tombstone_has_no_groups() -> None:
    with pytest.raises(ProofInvalid, match="注销"):
        build([replace(statement(1), envelope=envelope(1, "gone"))], batch_of(), SIGNER, SUITE)
    with pytest.raises(ProofInvalid, match="注销"):
        version_root(SUITE, envelope(1, "gone"), {"content": bytes(32)})


def test_the_root_binds_the_names_of_closed_groups() -> None:
    a, b = bytes(32), bytes(range(32))
    assert version_root(SUITE, envelope(1), {"x": a, "y": b}) != version_root(SUITE, envelope(1), {"x": a, "z": b})
    assert ENVELOPE not in statement(1).groups


def test_only_the_pinned_key_signs_manifests() -> None:
    batch = sealed()
    assert verify_manifest(batch.manifest_bytes, batch.signature, SIGNER.public) == batch.manifest
    with pytest.raises(ProofInvalid, match="钉住"):
        verify_manifest(batch.manifest_bytes, batch.signature, OTHER_SIGNER.public)
    with pytest.raises(ProofInvalid, match="钉住"):
        verify_manifest(batch.manifest_bytes, SIGNER.sign("block", batch.manifest_bytes), SIGNER.public)


@pytest.mark.parametrize("name", [f.name for f in msgspec.structs.fields(Manifest)])
def test_every_member_of_the_manifest_is_in_the_batch_id(name: str) -> None:
    manifest = sealed().manifest
    value = getattr(manifest, name)
    if name == "suite":
        with pytest.raises(ProofInvalid, match=SUITE.name):
            Manifest.parse(manifest.encode().replace(SUITE.name.encode(), b"none"))
        return
    other = value + 1 if isinstance(value, int) else "0" * 64
    assert msgspec.structs.replace(manifest, **{name: other}).batch_id != manifest.batch_id


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"count":"12"', b'"count":"13"'),
        (b'"first":"1"', b'"first":"01"'),
        (b'"first":"1"', b'"first":1'),
        (b'"first":"1"', b'"first":"0"'),
        (b'"gone":"1"', b'"gone":"-1"'),
        (b'"gone":"1"', b'"gone":"2"'),
        (b'"gone":"1"', b'"gone":null'),
        (b'"gone":"1"', b'"gone":"1","more":"1"'),
        (b'"gone":"1",', b""),
        (b"shuqiao-manifest/1", b"shuqiao-manifest/2"),
        (b'"previous":null', b'"previous":"x"'),
        (b'{"count"', b'{ "count"'),
    ],
)
def test_a_manifest_is_read_in_its_one_form_only(old: bytes, new: bytes) -> None:
    encoded = sealed().manifest_bytes
    assert old in encoded
    with pytest.raises(ProofInvalid) as failure:
        Manifest.parse(encoded.replace(old, new))
    assert failure.value.code == "MANIFEST"


@pytest.mark.parametrize("figures", [{"last": 13}, {"first": 0, "last": 11}, {"first": 13, "last": 12, "count": 0}])
def test_a_range_that_contradicts_its_count_is_refused(figures: dict[str, int]) -> None:
    with pytest.raises(ProofInvalid, match="序号"):
        msgspec.structs.replace(sealed().manifest, **figures).check()


def test_the_order_in_which_groups_are_given_changes_nothing() -> None:
    one = statement(1)
    turned = replace(one, groups={group: one.groups[group] for group in sorted(one.groups, reverse=True)})
    batches = [build([s], batch_of(), SIGNER, SUITE) for s in (turned, one)]
    assert batches[0].manifest == batches[1].manifest
    assert batches[0].payload == batches[1].payload


def test_a_thousand_versions_are_sealed_in_well_under_half_a_second() -> None:
    items = statements(1000)
    began = time.perf_counter()
    build(items, batch_of(), SIGNER, SUITE)
    assert time.perf_counter() - began < 0.5
