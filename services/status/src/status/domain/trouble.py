"""What is wrong with a run beside its ledger: who has to look at it, why, and what to do."""

from dataclasses import dataclass

from contracts.events.audience import RecipientsResolved
from contracts.events.run import RunAlarm

LAUNCHES = "launch:"
"""How the runs of one-time campaigns are called."""
_READ_THE_QUERY = (
    "Open the query in iMIS and see what it returns. If that is right, nothing is to be done."
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One alarm to be raised about a run."""

    alarm: RunAlarm
    detail: str
    advice: str
    error_code: int | None = None


def audience_trouble(page: RecipientsResolved, *, shrink_percent: int) -> Trouble | None:
    """Say whether a recurring campaign's audience is not what it was the last time (X-20)."""
    totals = page.totals
    if totals is None or page.occurrence.startswith(LAUNCHES):
        return None
    before = totals.rows_last_time
    compared = f"rows {totals.rows}" + ("" if before is None else f"; last time {before}")
    if totals.rows == 0:
        return Trouble(RunAlarm.AUDIENCE_EMPTY, compared, _READ_THE_QUERY)
    if before is not None and totals.rows * 100 < before * shrink_percent:
        return Trouble(RunAlarm.AUDIENCE_SHRANK, compared, _READ_THE_QUERY)
    return None
