"""Which of the waiting messages leave next: the runs of a number take turns."""

from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K")


def take_turns(queues: Iterable[Sequence[T]]) -> list[T]:
    """Return the runs' messages one of each in turn, in each run's own order."""
    return [each for turn in zip_longest(*queues) for each in turn if each is not None]


class Turns(Generic[K]):
    """Remembers who was served last, for when there is room for one message at a time."""

    def __init__(self) -> None:
        self._served: dict[K, int] = {}
        self._count = 0

    def order(self, keys: Collection[K]) -> list[K]:
        """Return those who wait, whoever waits the longest first; forget everybody else."""
        self._served = {key: self._served.get(key, 0) for key in keys}
        return sorted(keys, key=lambda key: self._served[key])

    def served(self, keys: Iterable[K]) -> None:
        """Note whose messages left, in their order."""
        for key in keys:
            self._count += 1
            self._served[key] = self._count
