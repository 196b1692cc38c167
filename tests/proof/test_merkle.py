from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from gateway.proof import merkle


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(sha256, b"%d" % i) for i in range(size)]


def recursive(hashes: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\1" + recursive(hashes[:k]) + recursive(hashes[k:]))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 100, 199, 200])
def test_roots_agree_with_the_rfc_and_with_pymerkle(size: int) -> None:
    tree = InmemoryTree(algorithm="sha256")
    for i in range(size):
        tree.append_entry(b"%d" % i)
    assert merkle.root(sha256, leaves(size)) == recursive(leaves(size)) == tree.get_root()


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert merkle.root(sha256, []) == sha256(b"")


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 200).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_a_path_proves_its_leaf_and_nothing_else(place: tuple[int, int]) -> None:
    size, index = place
    hashes = leaves(size)
    root, path = merkle.root(sha256, hashes), merkle.path(merkle.levels(sha256, hashes), index)
    assert merkle.root_of_path(sha256, hashes[index], index, size, path) == root
    assert merkle.root_of_path(sha256, merkle.leaf_hash(sha256, b"other"), index, size, path) != root
    for at in range(len(path)):
        bent = [*path[:at], sha256(path[at]), *path[at + 1 :]]
        assert merkle.root_of_path(sha256, hashes[index], index, size, bent) != root


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 200).flatmap(lambda s: st.tuples(st.just(s), st.integers(0, s - 1), st.integers(0, s - 1))))
def test_a_path_proves_its_own_place_only(place: tuple[int, int, int]) -> None:
    size, index, claimed = place
    hashes = leaves(size)
    path = merkle.path(merkle.levels(sha256, hashes), index)
    try:
        reached = merkle.root_of_path(sha256, hashes[index], claimed, size, path)
    except ValueError:
        assert claimed != index
    else:
        assert (reached == merkle.root(sha256, hashes)) == (claimed == index)


@pytest.mark.parametrize("size", [2, 3, 8, 11])
def test_a_path_of_another_length_is_refused(size: int) -> None:
    hashes = leaves(size)
    path = merkle.path(merkle.levels(sha256, hashes), 0)
    with pytest.raises(ValueError, match="short"):
        merkle.root_of_path(sha256, hashes[0], 0, size, path[:-1])
    with pytest.raises(ValueError, match="long"):
        merkle.root_of_path(sha256, hashes[0], 0, size, [*path, path[0]])


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_outside_the_tree_has_no_path(index: int) -> None:
    with pytest.raises(IndexError):
        merkle.path(merkle.levels(sha256, leaves(3)), index)
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.root_of_path(sha256, leaves(1)[0], index, 3, [])
