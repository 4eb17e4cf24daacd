"""The composition root of the notifier."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from chassis.instants import now
from chassis.reading_up import ReadingUp
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from notifier.adapters.campaigns import SqlCampaigns
from notifier.adapters.knowledge import SqlKnowledge
from notifier.adapters.mails import SqlMails
from notifier.adapters.notices import SqlNotices
from notifier.adapters.pages import JinjaPages
from notifier.adapters.reports import ReadModels
from notifier.adapters.smtp import SmtpPost
from notifier.adapters.tables import METADATA
from notifier.composing import Composer
from notifier.handlers.watching import listen_for_silence
from notifier.ports import Campaigns, Notices
from notifier.posting import Pace, Posting
from notifier.settings import NotifierSettings
from notifier.subscribers import CAMPAIGNS, DUE, subscriptions
from readmodels.reader import Reader
from twilio_client.explained import advice, meaning

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: NotifierSettings | None = None) -> Service:
    """Put the notifier together."""
    settings = settings or ServiceSettings()
    own = own or NotifierSettings()
    store = Store(settings, name="notifier", metadata=METADATA, migrations=MIGRATIONS)
    reader = Reader(settings)
    posting = Posting(
        SqlMails(
            store,
            instance=settings.instance,
            process=uuid4(),
            alerts_an_hour=own.alerts_an_hour,
        ),
        Composer(
            knowledge=SqlKnowledge(store),
            reports=ReadModels(reader),
            pages=JinjaPages(),
            meaning=meaning,
            advice=advice,
            figures_patience=timedelta(seconds=own.figures_patience),
            late_report_after=timedelta(seconds=own.late_report_after),
            late_quiet=timedelta(seconds=own.late_quiet),
        ),
        SmtpPost(own.smtp_url, sender=own.sender, timeout=own.timeout),
        clock=now,
        pace=Pace(
            lease=timedelta(seconds=own.lease),
            claim=own.claim,
            retry=timedelta(seconds=own.retry),
            longest_retry=timedelta(seconds=own.longest_retry),
            give_up=timedelta(seconds=own.give_up),
        ),
    )
    mailing = Worker("notifier.mails", posting.step, idle_seconds=own.poll)
    logs = (
        ReadingUp(settings, group=CAMPAIGNS, topic="campaign.lifecycle"),
        ReadingUp(settings, group=DUE, topic="campaign.due"),
    )

    @asynccontextmanager
    async def work() -> AsyncIterator[tuple[Campaigns, Notices]]:
        async with store.transaction() as transaction:
            yield SqlCampaigns(transaction), SqlNotices(transaction)

    async def listen() -> bool:
        more = await listen_for_silence(
            clock=now, grace=timedelta(seconds=own.silence_grace), logs=logs, work=work
        )
        mailing.wake()
        return more

    return Service(
        "notifier",
        settings,
        store,
        subscriptions=subscriptions(own, wake=mailing.wake),
        workers=[mailing, Worker("notifier.silence", listen, idle_seconds=own.silence_poll)],
        after=[reader.close, *(each.close for each in logs)],
    )


def main() -> None:
    """Run the notifier in this process."""
    run(make)
