"""The most segments that were taken in any one second: what proves a limiter right."""

from collections import deque


class PeakRate:
    """Counts segments in sliding windows of one second, for all and for each sender."""

    def __init__(self) -> None:
        self._all = _Window()
        self._by_sender: dict[str, _Window] = {}

    def count(self, sender: str, segments: int, at: float) -> None:
        """Take note of one accepted text; times never go backwards by much."""
        self._all.count(segments, at)
        window = self._by_sender.get(sender)
        if window is None:
            window = self._by_sender[sender] = _Window()
        window.count(segments, at)

    def as_json(self) -> dict[str, object]:
        """Give the peaks: `max_segments_per_second`, and the same by sender."""
        return {
            "max_segments_per_second": self._all.peak,
            "max_segments_per_second_by_sender": {
                sender: window.peak for sender, window in self._by_sender.items()
            },
        }


class _Window:
    __slots__ = ("_now", "_taken", "peak")

    def __init__(self) -> None:
        self._taken: deque[tuple[float, int]] = deque()
        self._now = 0
        self.peak = 0

    def count(self, segments: int, at: float) -> None:
        taken = self._taken
        while taken and taken[0][0] <= at - 1.0:
            self._now -= taken.popleft()[1]
        taken.append((at, segments))
        self._now += segments
        self.peak = max(self.peak, self._now)
