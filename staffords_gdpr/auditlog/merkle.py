"""The tree of RFC 6962: built leaf by leaf with a stack of O(log n) hashes, or at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256(0x00 ‖ data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 2.1: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """The roots of the complete subtrees so far, largest first: one for each bit that is set in `size`."""

    def __init__(self, size: int = 0, frontier: Sequence[bytes] = ()) -> None:
        if len(frontier) != size.bit_count():
            raise ValueError("a tree of this size has another number of subtrees")
        self.size = size
        self.frontier = list(frontier)

    def add(self, leaf: bytes) -> None:
        """Append a leaf's hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.frontier.pop(), leaf)
            size >>= 1
        self.frontier.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The tree's root: the subtrees joined from the right."""
        if not self.frontier:
            return EMPTY
        root = self.frontier[-1]
        for subtree in reversed(self.frontier[:-1]):
            root = node_hash(subtree, root)
        return root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """The RFC 6962 root over hashes of leaves, level by level: one left over goes up to the next as it is."""
    level, sha256 = list(leaves), hashlib.sha256
    while len(level) > 1:
        over = level[len(level) & ~1 :]
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\x01" + left + right).digest() for left, right in pairs] + over
    return level[0] if level else EMPTY
