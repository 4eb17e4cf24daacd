"""Why an audience can't be had, in words for staff, and how long to wait where it can be later."""

from datetime import timedelta

_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=5)
_FIRST_LOGIN_WAIT = timedelta(minutes=1)
_LONGEST_LOGIN_WAIT = timedelta(hours=1)
_LONGEST_WISH = timedelta(hours=1)
_MOST_DOUBLINGS = 16


class Unusable(Exception):
    """The audience can't be had until staff mend something; `sentence` says what and how."""

    def __init__(self, sentence: str) -> None:
        # The exception's own text stays empty of what staff typed and of what iMIS said.
        super().__init__("the audience can't be had")
        self.sentence = sentence


def wait_after(failures: int, *, asked_seconds: float | None = None) -> timedelta:
    """Return how long to leave iMIS alone after its n-th failure in a row, or as it asked."""
    wish = min(timedelta(seconds=asked_seconds or 0), _LONGEST_WISH)
    return max(_doubled(_FIRST_WAIT, failures, _LONGEST_WAIT), wish)


def login_wait_after(refusals: int) -> timedelta:
    """Return how long not to log in after the n-th refusal, lest iMIS lock the account."""
    return _doubled(_FIRST_LOGIN_WAIT, refusals, _LONGEST_LOGIN_WAIT)


def _doubled(first: timedelta, count: int, longest: timedelta) -> timedelta:
    doublings = min(max(count - 1, 0), _MOST_DOUBLINGS)
    return min(first * (1 << doublings), longest)
