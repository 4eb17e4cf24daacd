"""Which topic goes to which handler."""

from collections.abc import Callable

from chassis.store import Transaction
from chassis.subscription import Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewed, AudiencePreviewProgressed
from contracts.events.run import (
    RunAlarmRaised,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunHeld,
    RunStarted,
)
from gateway.adapters.answers import SqlPreviews
from gateway.adapters.campaigns import SqlCampaigns
from gateway.handlers.following import follow_runs
from gateway.ports import Clock


def subscriptions(*, ring: Callable[[], None], clock: Clock) -> list[Subscription]:
    """Return all that the gateway listens to."""

    async def follow(transaction: Transaction, events: list[Envelope[RunEvent | RunHeld]]) -> None:
        campaigns = SqlCampaigns(transaction)
        await follow_runs(events, campaigns=campaigns, outbox=transaction, clock=clock)

    async def receive(
        transaction: Transaction, previews: list[Envelope[AudiencePreviewed]]
    ) -> None:
        await SqlPreviews(transaction).receive([each.event for each in previews])

    async def progress(
        transaction: Transaction, previews: list[Envelope[AudiencePreviewProgressed]]
    ) -> None:
        await SqlPreviews(transaction).progress([each.event for each in previews])

    return [
        Subscription(
            "gateway.runs",
            ("run.lifecycle",),
            dict.fromkeys((RunStarted, RunCompleted, RunFailed, RunAlarmRaised), follow),
            # In the order in which they came: a run's end must not be heeded before its start.
            together=follow,
        ),
        Subscription("gateway.held", ("run.held",), {RunHeld: follow}),
        Subscription(
            "gateway.previews",
            ("audience.previewed",),
            {AudiencePreviewed: receive, AudiencePreviewProgressed: progress},
            after_commit=ring,
        ),
    ]
