"""Which rows, members and numbers a preview has met, at eight bytes each.

A set of Python's takes some hundred bytes for each, and many previews of 100,000 rows can be under
way at a time. Of so many marks two that differ are taken for one once in a billion previews.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b
from heapq import merge

MOST_UNSORTED = 4096
_SIZE = 8


class Marks:
    """A set of digests that only grows."""

    def __init__(self, most_unsorted: int = MOST_UNSORTED) -> None:
        self._most_unsorted = most_unsorted
        self._sorted: array[int] = array("Q")
        self._unsorted: set[int] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._unsorted)

    def __contains__(self, digest: bytes) -> bool:
        return self._has(int.from_bytes(digest[:_SIZE]))

    def add(self, digest: bytes) -> None:
        """Remember a digest, of which the first eight bytes count."""
        mark = int.from_bytes(digest[:_SIZE])
        if self._has(mark):
            return
        self._unsorted.add(mark)
        if len(self._unsorted) >= self._most_unsorted:
            self._sorted = array("Q", merge(self._sorted, sorted(self._unsorted)))
            self._unsorted = set()

    def update(self, digests: Iterable[bytes]) -> None:
        """Remember each of them."""
        for each in digests:
            self.add(each)

    def _has(self, mark: int) -> bool:
        if mark in self._unsorted:
            return True
        place = bisect_left(self._sorted, mark)
        return place < len(self._sorted) and self._sorted[place] == mark


def digest_of(*words: str) -> bytes:
    """Stands for the words in their order."""
    return blake2b("\x00".join(words).encode(), digest_size=_SIZE).digest()
