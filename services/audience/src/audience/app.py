"""The composition root of the audience service."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from audience import previews, runs
from audience.adapters.desk import Holder, SqlDesk, take_back
from audience.adapters.imis import OrganizationsImis
from audience.adapters.ledger import SqlLedger
from audience.adapters.tables import METADATA
from audience.ports import Claim, Desk, Kind, Order
from audience.settings import AudienceSettings
from audience.subscribers import subscriptions
from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignDue
from contracts.ids import event_id


def make(settings: ServiceSettings | None = None, own: AudienceSettings | None = None) -> Service:
    """Put the audience service together."""
    settings = settings or ServiceSettings()
    own = own or AudienceSettings()
    store = Store(settings, name="audience", metadata=METADATA)
    holder = Holder(settings.instance, event_id().hex, timedelta(seconds=own.lease_seconds))
    imis = OrganizationsImis(store, SecretBox(settings.secret_key))
    ledger = SqlLedger(store, holder=holder.name)
    run_desk = SqlDesk(
        store,
        holder,
        kind=Kind.RUN,
        order=CampaignDue,
        per_organization=own.runs_per_organization,
    )
    preview_desk = SqlDesk(
        store,
        holder,
        kind=Kind.PREVIEW,
        order=AudiencePreviewRequested,
        per_organization=own.previews_per_organization,
    )

    async def conduct_run(claim: Claim[CampaignDue]) -> None:
        await runs.conduct(
            claim, desk=run_desk, ledger=ledger, imis=imis, clock=now, stopping=is_stopping
        )

    async def conduct_preview(claim: Claim[AudiencePreviewRequested]) -> None:
        await previews.conduct(
            claim, desk=preview_desk, ledger=ledger, imis=imis, clock=now, pause=asyncio.sleep
        )

    def is_stopping() -> bool:
        return run_workers[0].stopping.is_set()

    run_workers = _workers("audience.runs", own.runs_at_once, run_desk, conduct_run, own)
    preview_workers = _workers(
        "audience.previews", own.previews_at_once, preview_desk, conduct_preview, own
    )
    return Service(
        "audience",
        settings,
        store,
        subscriptions=subscriptions(
            wake_runs=_waking(run_workers), wake_previews=_waking(preview_workers)
        ),
        workers=[*run_workers, *preview_workers],
        before=[lambda: take_back(store, holder)],
        after=[imis.close],
    )


def _workers(
    name: str,
    count: int,
    desk: Desk[Order],
    conduct: Callable[[Claim[Order]], Awaitable[None]],
    own: AudienceSettings,
) -> list[Worker]:
    async def step() -> bool:
        claim = await desk.claim(at=now())
        if claim is None:
            return False
        async with desk.keep(claim):
            await conduct(claim)
        return True

    return [
        Worker(f"{name}.{number}", step, idle_seconds=own.look_again_seconds)
        for number in range(1, count + 1)
    ]


def _waking(workers: Sequence[Worker]) -> Callable[[], None]:
    def wake() -> None:
        for worker in workers:
            worker.wake()

    return wake


def main() -> None:
    """Run the audience service in this process."""
    run(make)
