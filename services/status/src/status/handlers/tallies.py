"""Adds what a batch's facts amount to to their runs."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from contracts.events.run import RunAlarmRaised
from status.domain.run import Tally, advance, wait
from status.ports import Outbox, Runs, Watch


def add(tallies: dict[UUID, Tally], run_id: UUID, one: Tally) -> None:
    """Add one more tally to those of a batch."""
    tallies[run_id] = tallies[run_id] + one if run_id in tallies else one


async def go_on(
    tallies: Mapping[UUID, Tally], *, at: datetime, runs: Runs, outbox: Outbox, watch: Watch
) -> None:
    """Add to the runs, and tell the steps that they take by it."""
    if not tallies:
        return
    moved = []
    for run in await runs.add(tallies):
        tally = tallies[run.run_id]
        after, told = advance(run, at=tally.at, troubles=tally.troubles)
        for each in told:
            if isinstance(each, RunAlarmRaised):
                watch.alarmed(run.run_id, each.alarm)
        if told:
            outbox.publish(*told, because=tally.because)
        after = wait(after, at=at)
        if after != run:
            moved.append(after)
    await runs.keep(moved)
