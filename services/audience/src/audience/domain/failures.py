"""Why an audience can't be had, in words for staff, and how long to wait where it can be later."""

from datetime import timedelta

_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=5)
_LONGEST_WISH = timedelta(hours=1)
_MOST_DOUBLINGS = 16


class Unusable(Exception):
    """The audience can't be had until staff mend something; `sentence` says what and how."""

    def __init__(self, sentence: str) -> None:
        # The exception's own text stays empty of what staff typed and of what iMIS said.
        super().__init__("the audience can't be had")
        self.sentence = sentence


class NotHereYet(Exception):
    """The uploaded list has not arrived whole; it may be on its way."""


def wait_after(failures: int, *, asked_seconds: float | None = None) -> timedelta:
    """Return how long to leave iMIS alone after its n-th failure in a row, or as it asked."""
    wish = min(timedelta(seconds=asked_seconds or 0), _LONGEST_WISH)
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return max(min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT), wish)
