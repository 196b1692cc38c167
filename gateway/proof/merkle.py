"""Merkle trees of RFC 9162 §2.1 over any hash: roots, inclusion paths, and what a path proves.

A tree is given by its leaf hashes, in order. A lone node at the end of a level is promoted unchanged, which equals the
RFC's recursive definition for every size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

Hash: TypeAlias = Callable[[bytes], bytes]


def leaf_hash(h: Hash, data: bytes) -> bytes:
    return h(b"\0" + data)


def node_hash(h: Hash, left: bytes, right: bytes) -> bytes:
    return h(b"\1" + left + right)


def root(h: Hash, leaves: Sequence[bytes]) -> bytes:
    """The tree's root hash; of no leaves, the hash of nothing."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(h, level)
    return level[0] if level else h(b"")


def levels(h: Hash, leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The whole tree, leaves first: of it, any number of paths cost nothing more."""
    out = [list(leaves)]
    while len(out[-1]) > 1:
        out.append(_above(h, out[-1]))
    return out


def path(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Sibling hashes from leaf `index` of `levels` up to the root. Raises IndexError for an index outside the tree."""
    if not 0 <= index < len(tree[0]):
        raise IndexError(index)
    out: list[bytes] = []
    for level in tree[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            out.append(level[sibling])
        index //= 2
    return out


def root_of_path(h: Hash, leaf: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes:
    """The root that a path leads to (RFC 9162 §2.1.3.2). Raises ValueError when index, size and length disagree."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    fn, sn, r = index, size - 1, leaf
    for sibling in siblings:
        if sn == 0:
            raise ValueError("path too long")
        if fn & 1 or fn == sn:
            r = node_hash(h, sibling, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node_hash(h, r, sibling)
        fn >>= 1
        sn >>= 1
    if sn:
        raise ValueError("path too short")
    return r


def _above(h: Hash, level: list[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    lone = level[-1:] if len(level) & 1 else []
    return [h(b"\1" + a + b) for a, b in pairs] + lone
