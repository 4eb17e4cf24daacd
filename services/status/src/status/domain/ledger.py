"""The ledger of a run's rows: each row that the IQA returned becomes a message or an exclusion.

The totals say how many rows there were. More than they say is a contradiction at once. Less may be
on its way, and is an alarm when nothing comes any more (X-2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from contracts.events.audience import Totals
from contracts.events.run import RunAlarmRaised


class Alarm(StrEnum):
    """Why somebody has to look at a run."""

    DOES_NOT_ADD_UP = "does_not_add_up"
    STALLED = "stalled"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long nothing may be heard of a run that lacks something."""

    unheard: timedelta
    """While rows are missing of which nobody ever spoke."""
    held: timedelta
    """While each row was heard of and messages wait, as a day's limit has them do."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run's rows became so far, and what they were."""

    totals: Totals
    recipients: int
    rejected: int
    heard: int
    settled: int
    excluded: int


def excess(ledger: Ledger) -> bool:
    """Whether more was counted than there are rows."""
    totals = ledger.totals
    return (
        totals.recipients + totals.rejected != totals.rows
        or ledger.recipients > totals.recipients
        or ledger.rejected > totals.rejected
        or ledger.heard > totals.recipients
        or ledger.settled + ledger.excluded > totals.recipients
    )


def accounted_for(ledger: Ledger) -> bool:
    """Whether each row has an outcome or an exclusion."""
    totals = ledger.totals
    return not unheard(ledger) and ledger.settled + ledger.excluded >= totals.recipients


def unheard(ledger: Ledger) -> bool:
    """Whether there are rows of which nobody spoke yet."""
    totals = ledger.totals
    return (
        ledger.recipients < totals.recipients
        or ledger.rejected < totals.rejected
        or ledger.heard < totals.recipients
    )


def silence(ledger: Ledger, *, waited: timedelta, patience: Patience) -> bool:
    """Whether the silence has lasted too long for what is missing."""
    if accounted_for(ledger):
        return False
    return waited >= (patience.unheard if unheard(ledger) else patience.held)


def raised(alarm: Alarm, ledger: Ledger, about: Mapping[str, object]) -> RunAlarmRaised:
    """Return the event that raises an alarm, with what was expected and what was found."""
    totals = ledger.totals
    detail = (
        f"rows {totals.rows}; recipients {ledger.recipients} of {totals.recipients}; "
        f"rejected {ledger.rejected} of {totals.rejected}; "
        f"heard of {ledger.heard} of {totals.recipients}; "
        f"settled {ledger.settled} and excluded {ledger.excluded} of {totals.recipients}"
    )
    return RunAlarmRaised.model_validate({**about, "alarm": alarm.value, "detail": detail})
