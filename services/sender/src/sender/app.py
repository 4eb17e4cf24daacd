"""The composition root of the sender."""

from pathlib import Path
from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chassis.instants import now
from chassis.reading_up import ReadingUp
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from sender.adapters.carriers import SettledCarriers
from sender.adapters.ledger import SqlLedger
from sender.adapters.limiter import RedisLimiter
from sender.adapters.stops import RedisStops
from sender.adapters.sweeps import SqlSweeps
from sender.adapters.tables import METADATA
from sender.dispatch import LaneDispatch
from sender.domain.messages import Lane
from sender.lanes import Dispatch
from sender.outcomes import Outcomes
from sender.reconcile import Reconciliation
from sender.settings import SenderSettings
from sender.subscribers import CALLBACKS, heard_first, subscriptions
from sender.sweeping import Sweeping, every
from timing import quiet

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: SenderSettings | None = None) -> Service:
    """Put the sender together."""
    settings = settings or ServiceSettings()
    own = own or SenderSettings()
    store = Store(
        settings, name="sender", metadata=METADATA, power_safe=True, migrations=MIGRATIONS
    )
    ledger = SqlLedger(store, instance=settings.instance, process=uuid4(), grace_seconds=own.grace)
    carriers = SettledCarriers(store, SecretBox(settings.secret_key), own)
    redis = Redis.from_url(
        own.redis_url.get_secret_value(),
        socket_timeout=2.0,
        socket_connect_timeout=2.0,
        # A second try of a script that was run already would take twice.
        retry=Retry(NoBackoff(), 0),
    )
    limiter = RedisLimiter(redis, burst_seconds=own.burst)
    outcomes = Outcomes(ledger, now)
    callbacks = ReadingUp(settings, group=CALLBACKS, topic="twilio.callbacks")
    heard = [
        ReadingUp(settings, group=group, topic=topic)
        for group, topic in heard_first(settings.instance)
    ]

    def make_lane(lane: Lane) -> LaneDispatch:
        return LaneDispatch(
            lane,
            ledger=ledger,
            limiter=limiter,
            carriers=carriers,
            outcomes=outcomes,
            settings=own,
            clock=now,
        )

    dispatch = Dispatch(make_lane, ledger, outcomes, heard)
    outcomes.on_commit(dispatch.wake)

    reconciliation = Reconciliation(
        ledger=ledger, carriers=carriers, callbacks=callbacks, settings=own, clock=now
    )

    sweeping = Sweeping(SqlSweeps(store, quiet.standard()), clock=now, wake=dispatch.wake)
    cancelled = Worker("sender.cancelled", sweeping.leave_out_cancelled, idle_seconds=1.0)
    stops = RedisStops(redis, store)

    def stops_changed() -> None:
        cancelled.wake()
        dispatch.wake()

    def settings_changed() -> None:
        carriers.refresh()
        dispatch.wake()

    return Service(
        "sender",
        settings,
        store,
        subscriptions=subscriptions(
            instance=settings.instance,
            wake=dispatch.wake,
            wake_urgent=dispatch.wake_urgent,
            stops_changed=stops_changed,
            settings_changed=settings_changed,
        ),
        workers=[
            dispatch,
            Worker("sender.doubts", reconciliation.step, idle_seconds=own.sweep),
            cancelled,
            Worker("sender.hours", sweeping.keep_hours, idle_seconds=1.0),
            Worker("sender.stranded", every(sweeping.leave_out_stranded), idle_seconds=60.0),
            Worker("sender.lanes", every(ledger.refresh_lanes), idle_seconds=60.0),
            Worker("sender.stops", every(stops.tidy), idle_seconds=60.0),
        ],
        after=[
            carriers.close,
            redis.aclose,
            callbacks.close,
            *(each.close for each in heard),
        ],
    )


def main() -> None:
    """Run the sender in this process."""
    run(make)
