"""The composition root of the audience service."""

import asyncio
from datetime import timedelta
from pathlib import Path

from audience import previews, runs
from audience.adapters.desk import Holder, SqlDesk, take_back
from audience.adapters.imis import OrganizationsImis
from audience.adapters.ledger import SqlLedger
from audience.adapters.optouts import SqlOptOuts
from audience.adapters.sources import Sources
from audience.adapters.tables import METADATA
from audience.adapters.uploads import UploadedRows
from audience.crew import AwayAtSource, Crew, Turn
from audience.ports import Claim, Kind
from audience.settings import AudienceSettings
from audience.subscribers import OPT_OUTS_GROUP, subscriptions
from chassis.instants import now
from chassis.reading_up import ReadingUp
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignDue
from contracts.ids import event_id
from timing import quiet

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: AudienceSettings | None = None) -> Service:
    """Put the audience service together."""
    settings = settings or ServiceSettings()
    own = own or AudienceSettings()
    store = Store(settings, name="audience", metadata=METADATA, migrations=MIGRATIONS)
    holder = Holder(settings.instance, event_id().hex, timedelta(seconds=own.lease_seconds))
    imis = OrganizationsImis(store, SecretBox(settings.secret_key))
    source = Sources(imis, UploadedRows(store))
    opt_outs = SqlOptOuts(store)
    consents = ReadingUp(settings, group=OPT_OUTS_GROUP, topic="consent.changed")
    hearing = asyncio.Lock()
    # Read here, so that a file that is missing or wrong keeps the service from starting.
    places = quiet.standard()
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

    async def conduct_run(claim: Claim[CampaignDue], turn: Turn) -> None:
        await runs.conduct(
            claim,
            desk=run_desk,
            ledger=ledger,
            source=AwayAtSource(source, turn),
            clock=now,
            stopping=lambda: run_crew.is_stopping,
        )

    async def conduct_preview(claim: Claim[AudiencePreviewRequested], turn: Turn) -> None:
        async def pause(seconds: float) -> None:
            async with turn.away():
                await asyncio.sleep(seconds)

        async def hear() -> None:
            # In doubt the figures are given all the same: the sender looks again before it sends.
            async with turn.away(), hearing:
                await consents.read_to_end()

        means = previews.Means(
            desk=preview_desk,
            ledger=ledger,
            source=AwayAtSource(source, turn),
            opt_outs=opt_outs,
            hear=hear,
            place_of=lambda number, zone: places.place_of(number, zone).key,
            clock=now,
            pause=pause,
        )
        await previews.conduct(claim, means)

    run_crew = Crew(
        "audience.runs",
        run_desk,
        conduct_run,
        clock=now,
        most=own.runs_at_once,
        turns=own.busy_at_once,
        idle_seconds=own.look_again_seconds,
    )
    preview_crew = Crew(
        "audience.previews",
        preview_desk,
        conduct_preview,
        clock=now,
        most=own.previews_at_once,
        turns=own.busy_at_once,
        idle_seconds=own.look_again_seconds,
    )
    return Service(
        "audience",
        settings,
        store,
        subscriptions=subscriptions(wake_runs=run_crew.wake, wake_previews=preview_crew.wake),
        workers=[run_crew, preview_crew],
        before=[lambda: take_back(store, holder)],
        after=[imis.close, consents.close],
    )


def main() -> None:
    """Run the audience service in this process."""
    run(make)
