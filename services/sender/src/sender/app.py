"""The composition root of the sender."""

from uuid import uuid4

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from sender.adapters.callbacks import KafkaCallbacks
from sender.adapters.carriers import SettledCarriers
from sender.adapters.ledger import SqlLedger
from sender.adapters.limiter import RedisLimiter
from sender.adapters.tables import METADATA
from sender.dispatch import Dispatch, LaneDispatch
from sender.domain.messages import Lane
from sender.outcomes import Outcomes
from sender.reconcile import reconcile
from sender.settings import SenderSettings
from sender.subscribers import subscriptions


def make(settings: ServiceSettings | None = None, own: SenderSettings | None = None) -> Service:
    """Put the sender together."""
    settings = settings or ServiceSettings()
    own = own or SenderSettings()
    store = Store(settings, name="sender", metadata=METADATA, power_safe=True)
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
    callbacks = KafkaCallbacks(settings)

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

    dispatch = Dispatch(make_lane, ledger, outcomes)
    outcomes.on_commit(dispatch.wake)

    async def look() -> bool:
        return await reconcile(
            ledger=ledger, carriers=carriers, callbacks=callbacks, settings=own, clock=now
        )

    async def refresh() -> bool:
        await ledger.refresh_lanes()
        return False

    def settings_changed() -> None:
        carriers.refresh()
        dispatch.wake()

    return Service(
        "sender",
        settings,
        store,
        subscriptions=subscriptions(wake=dispatch.wake, settings_changed=settings_changed),
        workers=[
            dispatch,
            Worker("sender.doubts", look, idle_seconds=own.sweep),
            Worker("sender.lanes", refresh, idle_seconds=60.0),
        ],
        after=[carriers.close, redis.aclose],
    )


def main() -> None:
    """Run the sender in this process."""
    run(make)
