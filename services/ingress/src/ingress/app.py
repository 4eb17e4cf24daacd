"""The composition root of the ingress."""

import time

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from contracts.envelope import Envelope
from contracts.events.base import Event
from ingress.adapters.accounts import METADATA, SETTINGS, CachedAccounts
from ingress.adapters.log import KafkaLog
from ingress.adapters.spool import OutboxSpool
from ingress.domain import Circuit
from ingress.handlers import KeptIn, take_in
from ingress.routes import Webhooks
from ingress.settings import IngressSettings
from ingress.subscribers import subscriptions


def make(settings: ServiceSettings | None = None, own: IngressSettings | None = None) -> Service:
    """Put the ingress together."""
    settings = settings or ServiceSettings()
    own = own or IngressSettings()
    # Twilio forgets a callback that we answered well, so the spool outlives a power cut.
    store = Store(settings, name="ingress", metadata=METADATA, power_safe=True)
    accounts = CachedAccounts(SecretBox(settings.secret_key))
    log = KafkaLog(settings, patience_seconds=own.log_seconds)
    spool = OutboxSpool(store, patience_seconds=own.spool_seconds)
    circuit = Circuit(pause_seconds=own.log_pause_seconds)

    async def keep(envelope: Envelope[Event]) -> KeptIn:
        return await take_in(envelope, log=log, spool=spool, circuit=circuit, clock=time.monotonic)

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
        workers=[refreshing],
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
        after=[spool.stop, log.stop],
    )


def main() -> None:
    """Run the ingress in this process."""
    run(make)
