"""When an organisation's iMIS is left alone; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from imis_writer.domain.effects import LoginRefused, Look, Outcome, Postponed, Written, delay


@dataclass(frozen=True, slots=True)
class Hold:
    """Whether one organisation's iMIS is left alone, until when, and until which settings."""

    until: datetime | None = None
    failures: int = 0
    sequence: int | None = None
    """The settings that were no good; newer ones end the hold."""

    def holds(self, *, at: datetime, sequence: int) -> bool:
        """Whether nothing may be asked of iMIS now."""
        if self.until is None or at >= self.until:
            return False
        return self.sequence is None or sequence <= self.sequence

    def after(
        self,
        outcomes: Sequence[Outcome | Look],
        *,
        at: datetime,
        sequence: int,
        login_pause: timedelta,
    ) -> "Hold":
        """Return the hold after a batch."""
        if any(isinstance(each, LoginRefused) for each in outcomes):
            return Hold(at + login_pause, sequence=sequence)
        if any(isinstance(each, Written) for each in outcomes):
            return Hold()
        postponed = [each for each in outcomes if isinstance(each, Postponed)]
        if postponed:
            asked = [each.wait_seconds for each in postponed if each.wait_seconds is not None]
            wait = delay(self.failures, max(asked, default=None))
            return Hold(at + wait, self.failures + 1)
        return replace(self, until=None)
