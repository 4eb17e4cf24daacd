"""A small service, and a process of it that dies or is stopped at one named point.

It answers each run that it didn't know with one event, so that a doubled effect can be counted.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, MetaData, Table, Uuid, func, select

from chassis.consuming import Consuming
from chassis.outbox import OUTBOX
from chassis.relay import Relay
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store, Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events import ALL_EVENTS
from contracts.events.run import RunFailed, RunStarted

METADATA = MetaData()
ANSWERED = Table("answered", METADATA, Column("run_id", Uuid, primary_key=True))
GROUP = "gateway.rigged"


def started() -> RunStarted:
    return RunStarted(
        organization_id=uuid4(),
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=uuid4(),
        campaign_id=uuid4(),
    )


async def answer(transaction: Transaction, runs: Sequence[Envelope[RunStarted]]) -> None:
    """Answer each run that is new, once."""
    known = set(await transaction.connection.scalars(select(ANSWERED.c.run_id)))
    fresh = [each for each in runs if each.event.run_id not in known]
    await transaction.insert_new(ANSWERED, [{"run_id": each.event.run_id} for each in fresh])
    for each in fresh:
        event = each.event.model_dump(exclude={"type"})
        transaction.publish(RunFailed(**event, reason="answered"), because=each.id)


def make(settings: ServiceSettings | None = None, **more: Any) -> Service:
    """Put the service together; it bears a real one's name, as retry topics are there for those."""
    settings = settings or ServiceSettings()
    others = {e for e in ALL_EVENTS if e.topic == "run.lifecycle" and e is not RunStarted}
    subscription = Subscription(
        GROUP, ("run.lifecycle",), {RunStarted: answer}, skips=frozenset(others), **more
    )
    store = Store(settings, name="gateway", metadata=METADATA)
    return Service("gateway", settings, store, subscriptions=[subscription])


def end(how: signal.Signals) -> None:
    """Be killed or stopped, here and at once."""
    os.kill(os.getpid(), how)


def dies_between_commit_and_relay() -> Service:
    return make(after_commit=lambda: end(signal.SIGKILL))


def dies_between_commit_and_offsets() -> Service:
    """Everything that follows is published, and only the offsets are not committed."""
    settings = ServiceSettings()
    store = Store(settings, name="gateway", metadata=METADATA)

    async def die(*_: object) -> None:
        while True:
            async with store.read() as connection:
                if not await connection.scalar(select(func.count()).select_from(OUTBOX)):
                    end(signal.SIGKILL)
            await asyncio.sleep(0.02)

    Consuming._commit_offsets = die  # type: ignore[assignment,method-assign]
    return make()


def stops_after_commit() -> Service:
    """Stopped once it has committed, before it published anything or committed its offsets."""
    left = [signal.SIGSTOP]

    def stop() -> None:
        if left:
            end(left.pop())

    return make(after_commit=stop)


def stops_before_publishing() -> Service:
    """Stopped with the rows of its outbox in hand."""
    left = [signal.SIGSTOP]
    send = Relay._send

    async def stop(relay: Relay, rows: Sequence[Any]) -> None:
        if left:
            end(left.pop())
        await send(relay, rows)

    Relay._send = stop  # type: ignore[assignment,method-assign]
    return make()


POINTS = {
    each.__name__: each
    for each in (
        dies_between_commit_and_relay,
        dies_between_commit_and_offsets,
        stops_after_commit,
        stops_before_publishing,
    )
}

if __name__ == "__main__":
    run(POINTS[sys.argv[1]])
