"""Which topic goes to which handler."""

from collections.abc import Callable

from chassis.store import Transaction
from chassis.subscription import BatchHandler, Subscription
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewed
from contracts.events.campaign import CampaignEvent
from contracts.events.run import RunAlarmRaised, RunCompleted, RunEvent, RunFailed, RunStarted
from gateway.adapters.answers import SqlPreviews
from gateway.adapters.campaigns import SqlCampaigns
from gateway.domain import campaign as aggregate
from gateway.handlers.campaigns import follow_runs
from gateway.ports import Clock


def subscriptions(*, ring: Callable[[], None], clock: Clock) -> list[Subscription]:
    """Return all that the gateway listens to."""

    def following(step: Callable[..., CampaignEvent | None]) -> BatchHandler:
        async def follow(transaction: Transaction, events: list[Envelope[RunEvent]]) -> None:
            campaigns = SqlCampaigns(transaction)
            await follow_runs(events, step, campaigns=campaigns, outbox=transaction, clock=clock)

        return follow

    async def receive(
        transaction: Transaction, previews: list[Envelope[AudiencePreviewed]]
    ) -> None:
        await SqlPreviews(transaction).receive([each.event for each in previews])

    completing = following(aggregate.complete)
    return [
        Subscription(
            "gateway.runs",
            ("run.lifecycle",),
            {
                RunStarted: following(aggregate.start),
                RunCompleted: completing,
                RunFailed: completing,
            },
            # An alarm is shown from the read model; it changes nothing in the campaign.
            skips=frozenset({RunAlarmRaised}),
        ),
        Subscription(
            "gateway.previews",
            ("audience.previewed",),
            {AudiencePreviewed: receive},
            after_commit=ring,
        ),
    ]
