"""X-7: several processes count one campaign's outcomes, on each real database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.status import facts
from tests.status.stores import BACKENDS, status_store
from tests.status.world import sealed

from chassis.instants import now
from chassis.outbox import OUTBOX, headers_of
from chassis.store import Store
from contracts.envelope import decode
from contracts.events.message import Refused
from contracts.events.run import RunAlarm, RunAlarmRaised
from status.adapters.campaigns import SqlCampaigns
from status.adapters.messages import SqlMessages
from status.adapters.runs import SqlRuns
from status.adapters.tables import CAMPAIGNS
from status.handlers import messages
from status.subscribers import WATCH

PROCESSES, TEXTS = 4, 30


async def take(store: Store, handle: Any, batch: list[Any]) -> None:
    async with store.transaction() as transaction:
        await handle(
            sealed(*batch),
            at=now(),
            messages=SqlMessages(transaction, facts.PATIENCE),
            runs=SqlRuns(transaction),
            campaigns=SqlCampaigns(transaction),
            outbox=transaction,
            watch=WATCH,
        )


async def process(store: Store, number: int) -> None:
    """Take one partition's messages: half are refused, half are delivered."""
    rows = range(number * TEXTS + 1, (number + 1) * TEXTS + 1)
    await take(store, messages.take_named, [facts.queued(row) for row in rows])
    for row in rows:
        if row % 2:
            refused = facts.submitted(row, Refused(code=30007))
            await take(store, messages.take_submitted, [refused])
        else:
            await take(store, messages.take_submitted, [facts.submitted(row)])
            await take(store, messages.take_callbacks, [facts.callback(row, "delivered")])


@pytest.mark.parametrize("kind", [each for each in BACKENDS if each != "fake"])
async def test_x7_processes_that_count_together_lose_nothing_and_tell_once(
    kind: str, tmp_path: Path
) -> None:
    async with status_store(kind, tmp_path) as store:
        async with asyncio.timeout(60):
            await asyncio.gather(*(process(store, number) for number in range(PROCESSES)))
        async with store.read() as connection:
            rows = (await connection.execute(select(OUTBOX.c.headers, OUTBOX.c.value))).all()
            outcomes = await connection.scalar(select(CAMPAIGNS.c.outcomes))
    events = [decode(headers_of(row.headers), row.value).event for row in rows]
    alarms = [each.alarm for each in events if isinstance(each, RunAlarmRaised)]
    assert (alarms, outcomes) == ([RunAlarm.ERROR_SPIKE], PROCESSES * TEXTS)
