"""The composition root of the scheduler."""

from datetime import timedelta

from sqlalchemy import func, select

from chassis.instants import now
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from scheduler import handlers
from scheduler.adapters.timers import METADATA, SETTINGS, TIMERS, SqlTimers
from scheduler.settings import SchedulerSettings
from scheduler.subscribers import subscriptions


def make(settings: ServiceSettings | None = None, own: SchedulerSettings | None = None) -> Service:
    """Put the scheduler together."""
    settings = settings or ServiceSettings()
    own = own or SchedulerSettings()
    store = Store(settings, name="scheduler", metadata=METADATA)

    async def step() -> bool:
        async with store.read() as connection:
            soonest = await connection.scalar(select(func.min(TIMERS.c.due_at)))
        if soonest is None:
            return False
        wait = soonest - now()
        if wait > timedelta():
            await worker.wait(min(wait.total_seconds(), own.look_ahead_seconds))
            return True
        known = {each.organization_id: each.settings for each in await SETTINGS.all(store)}
        async with store.transaction() as transaction:
            started = await handlers.start_due_campaigns(
                at=now(), settings=known, timers=SqlTimers(transaction), outbox=transaction
            )
        return started > 0

    worker = Worker("scheduler.timers", step, idle_seconds=own.look_ahead_seconds)
    return Service(
        "scheduler",
        settings,
        store,
        subscriptions=subscriptions(wake=worker.wake),
        workers=[worker],
    )


def main() -> None:
    """Run the scheduler in this process."""
    run(make)
