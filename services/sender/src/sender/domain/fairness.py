"""Which of the waiting messages leave next: the runs of a number take turns."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TypeVar

T = TypeVar("T")


def take_turns(queues: Iterable[Sequence[T]]) -> list[T]:
    """Return the runs' messages one of each in turn, in each run's own order."""
    return [each for turn in zip_longest(*queues) for each in turn if each is not None]
