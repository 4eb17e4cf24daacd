"""When an organisation's iMIS is left alone for a while; pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from imis_writer.domain.outcomes import (
    Deleted,
    LoginRefused,
    Look,
    Opened,
    Outcome,
    Postponed,
    Written,
    delay,
)


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when one organisation's iMIS, which is busy or away, is left alone."""

    until: datetime | None = None
    failures: int = 0

    def holds(self, *, at: datetime) -> bool:
        """Whether nothing may be asked of iMIS now."""
        return self.until is not None and at < self.until

    def after(self, outcomes: Sequence[Outcome | Look], *, at: datetime) -> "Hold":
        """Return the hold after a batch."""
        if any(isinstance(each, Written | Opened | Deleted) for each in outcomes):
            return Hold()
        postponed = [each for each in outcomes if isinstance(each, Postponed)]
        if postponed:
            asked = [each.wait_seconds for each in postponed if each.wait_seconds is not None]
            wait = delay(self.failures, max(asked, default=None))
            return Hold(at + wait, self.failures + 1)
        return replace(self, until=None)


def refused_login(outcomes: Sequence[Outcome | Look | LoginRefused]) -> LoginRefused | None:
    """Return how iMIS refused the organisation's account, if it did."""
    return next((each for each in outcomes if isinstance(each, LoginRefused)), None)
