"""The composition root of the ingress."""

import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from contracts.envelope import Envelope
from contracts.events.base import Event
from ingress.adapters.accounts import CachedAccounts
from ingress.adapters.log import KafkaLog
from ingress.adapters.readings import SqlReadings
from ingress.adapters.spool import OutboxSpool
from ingress.adapters.tables import METADATA, SETTINGS
from ingress.adapters.text_list import TwilioTextList
from ingress.catch_up import CatchUp
from ingress.domain import Circuit
from ingress.handlers import KeptIn, take_in
from ingress.ports import SpoolAway
from ingress.routes import Webhooks
from ingress.settings import IngressSettings
from ingress.subscribers import subscriptions

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: IngressSettings | None = None) -> Service:
    """Put the ingress together."""
    settings = settings or ServiceSettings()
    own = own or IngressSettings()
    # Twilio forgets a callback that we answered well, so the spool outlives a power cut.
    store = Store(
        settings, name="ingress", metadata=METADATA, power_safe=True, migrations=MIGRATIONS
    )
    accounts = CachedAccounts(SecretBox(settings.secret_key))
    log = KafkaLog(settings, patience_seconds=own.log_seconds)
    spool = OutboxSpool(store, patience_seconds=own.spool_seconds)
    circuit = Circuit(pause_seconds=own.log_pause_seconds)

    text_list = TwilioTextList(accounts, base_url=own.twilio_url)
    catch_up = CatchUp(
        readings=SqlReadings(
            store,
            holder=uuid4(),
            lease=timedelta(seconds=own.catch_up_lease_seconds),
            interval=timedelta(seconds=own.catch_up_seconds),
            pause=timedelta(seconds=own.catch_up_pause_seconds),
        ),
        text_list=text_list,
        settings=own,
        clock=now,
    )

    async def keep(envelope: Envelope[Event]) -> KeptIn:
        try:
            kept_in = await take_in(
                envelope, log=log, spool=spool, circuit=circuit, clock=time.monotonic
            )
        except SpoolAway:
            catch_up.missed()
            raise
        catch_up.took(envelope.event, kept_in)
        return kept_in

    async def refresh() -> bool:
        accounts.refresh(await SETTINGS.all(store))
        return False

    async def know_accounts() -> None:
        await refresh()

    refreshing = Worker("ingress.accounts", refresh, idle_seconds=own.accounts_seconds)
    return Service(
        "ingress",
        settings,
        store,
        subscriptions=subscriptions(wake=refreshing.wake),
        workers=[refreshing, Worker("ingress.catch-up", catch_up.step)],
        routes=Webhooks(
            public_url=own.public_url,
            body_limit=own.body_limit,
            body_seconds=own.body_seconds,
            accounts=accounts,
            take_in=keep,
            now=now,
        ),
        # Webhooks are taken before the broker is there, so the accounts must be known by then.
        before=[know_accounts],
        after=[spool.stop, log.stop, text_list.stop],
    )


def main() -> None:
    """Run the ingress in this process."""
    run(make)
