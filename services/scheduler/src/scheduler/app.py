"""The composition root of the scheduler."""

from datetime import timedelta
from pathlib import Path

from chassis.instants import now
from chassis.reading_up import ReadingUp
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from scheduler import handlers
from scheduler.adapters.timers import METADATA, SqlDesk
from scheduler.settings import SchedulerSettings
from scheduler.subscribers import CAMPAIGNS, subscriptions

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: SchedulerSettings | None = None) -> Service:
    """Put the scheduler together."""
    settings = settings or ServiceSettings()
    own = own or SchedulerSettings()
    store = Store(settings, name="scheduler", metadata=METADATA, migrations=MIGRATIONS)
    grace = timedelta(seconds=own.grace_seconds)
    lifecycle = ReadingUp(settings, group=CAMPAIGNS, topic="campaign.lifecycle")

    async def step() -> bool:
        wait = await handlers.keep_time(
            clock=now, desk=SqlDesk(store), lifecycle=lifecycle, grace=grace
        )
        if wait:
            await worker.wait(min(wait.total_seconds(), own.look_ahead_seconds))
        return wait is not None

    worker = Worker("scheduler.timers", step, idle_seconds=own.look_ahead_seconds)
    return Service(
        "scheduler",
        settings,
        store,
        subscriptions=subscriptions(wake=worker.wake),
        workers=[worker],
        after=[lifecycle.close],
    )


def main() -> None:
    """Run the scheduler in this process."""
    run(make)
