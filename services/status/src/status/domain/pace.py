"""Holds questions to so many a second."""


class Pace:
    """Gives each question its moment, one interval after the one before; none is saved up."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._next = float("-inf")

    def wait_seconds(self, now: float) -> float:
        """Take the next moment, and say how long to wait for it; times are any one clock's."""
        moment = max(now, self._next)
        self._next = moment + self._interval
        return moment - now
