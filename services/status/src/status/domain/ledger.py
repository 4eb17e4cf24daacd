"""The ledger of a run's rows: each row that the IQA returned becomes a message or an exclusion.

The totals say how many rows there were. More than they say is a contradiction at once. Less may be
on its way, and is an alarm when nothing comes any more (X-2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from contracts.events.audience import Totals
from contracts.events.run import RunAlarm, RunAlarmRaised


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nothing may be heard of a run that lacks something."""

    unheard: timedelta
    """While rows are missing of which nobody ever spoke."""
    held: timedelta
    """While each row was heard of and messages wait, as a day's limit has them do."""
    untold: timedelta
    """While the audience was begun and its totals were not told, as a refused account has it."""

    @property
    def least(self) -> timedelta:
        """How long a silence is no silence yet, whatever is missing."""
        return min(self.unheard, self.held, self.untold)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run's rows became so far, and what they were."""

    totals: Totals | None
    recipients: int
    rejected: int
    heard: int
    settled: int
    excluded: int


def excess(ledger: Ledger) -> bool:
    """Whether more was counted than there are rows."""
    totals = ledger.totals
    return totals is not None and (
        totals.recipients + totals.rejected != totals.rows
        or ledger.recipients > totals.recipients
        or ledger.rejected > totals.rejected
        or ledger.heard > totals.recipients
        or ledger.settled + ledger.excluded > totals.recipients
    )


def accounted_for(ledger: Ledger) -> bool:
    """Whether each row has an outcome or an exclusion."""
    totals = ledger.totals
    return (
        totals is not None
        and not unheard(ledger)
        and ledger.settled + ledger.excluded >= totals.recipients
    )


def unheard(ledger: Ledger) -> bool:
    """Whether there are rows of which nobody spoke yet."""
    totals = ledger.totals
    return totals is None or (
        ledger.recipients < totals.recipients
        or ledger.rejected < totals.rejected
        or ledger.heard < totals.recipients
    )


def silence(ledger: Ledger, *, waited: timedelta, patience: Patience) -> bool:
    """Whether the silence has lasted too long for what is missing."""
    if accounted_for(ledger):
        return False
    if ledger.totals is None:
        return waited >= patience.untold
    return waited >= (patience.unheard if unheard(ledger) else patience.held)


def raised(alarm: RunAlarm, ledger: Ledger, about: Mapping[str, object]) -> RunAlarmRaised:
    """Return the event that raises an alarm, with what was expected and what was found."""
    return RunAlarmRaised.model_validate({**about, "alarm": alarm, "detail": _figures(ledger)})


def _figures(ledger: Ledger) -> str:
    totals = ledger.totals
    if totals is None:
        return (
            f"the audience is not whole; recipients {ledger.recipients}; "
            f"rejected {ledger.rejected}; heard of {ledger.heard}; "
            f"settled {ledger.settled} and excluded {ledger.excluded}"
        )
    return (
        f"rows {totals.rows}; recipients {ledger.recipients} of {totals.recipients}; "
        f"rejected {ledger.rejected} of {totals.rejected}; "
        f"heard of {ledger.heard} of {totals.recipients}; "
        f"settled {ledger.settled} and excluded {ledger.excluded} of {totals.recipients}"
    )
