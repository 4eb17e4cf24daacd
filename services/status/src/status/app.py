"""The composition root of the status service."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.workers import Worker
from status.adapters.accounts import SettledAccounts
from status.adapters.campaigns import SqlCampaigns
from status.adapters.lookouts import SqlLookouts, patience_of
from status.adapters.runs import SqlRuns
from status.adapters.tables import METADATA
from status.adapters.watch import LoggingWatch
from status.domain.ledger import Patience
from status.handlers.runs import give_alarms
from status.handlers.sweep import Manners, Sweep
from status.settings import StatusSettings
from status.subscribers import subscriptions

MIGRATIONS = Path(__file__).with_name("migrations")


def make(settings: ServiceSettings | None = None, own: StatusSettings | None = None) -> Service:
    """Put the status service together."""
    settings = settings or ServiceSettings()
    own = own or StatusSettings()
    store = Store(settings, name="status", metadata=METADATA, migrations=MIGRATIONS)
    patience = patience_of(own.first_look, own.longest_wait, own.give_up)
    accounts = SettledAccounts(store, SecretBox(settings.secret_key), own)
    watch = LoggingWatch()
    sweep = Sweep(
        lookouts=SqlLookouts(store, process=uuid4(), patience=patience),
        accounts=accounts,
        watch=watch,
        manners=_manners(own),
        clock=now,
    )
    silence = Patience(
        unheard=timedelta(seconds=own.stalled_after),
        held=timedelta(seconds=own.held_at_most),
        untold=timedelta(seconds=own.untold_at_most),
    )
    started = now()

    async def listen_for_silence() -> bool:
        at = now()
        # What came while nobody was there to hear it is no silence of the run's.
        if at - started >= silence.unheard:
            async with store.transaction() as transaction:
                await give_alarms(
                    at=at,
                    patience=silence,
                    runs=SqlRuns(transaction),
                    campaigns=SqlCampaigns(transaction),
                    outbox=transaction,
                    watch=watch,
                )
        return False

    return Service(
        "status",
        settings,
        store,
        subscriptions=subscriptions(facts_at_once=own.facts_at_once, patience=patience),
        workers=[
            Worker("status.sweep", sweep.step, idle_seconds=own.sweep),
            Worker("status.silence", listen_for_silence, idle_seconds=own.audit),
        ],
        after=[accounts.close],
    )


def _manners(own: StatusSettings) -> Manners:
    return Manners(
        # Kept up before each request, which ends by its own time-out.
        lease=timedelta(seconds=3 * own.request_timeout),
        back_off=timedelta(seconds=own.back_off),
        refused_wait=timedelta(seconds=own.refused_wait),
        list_from=own.list_from,
        ask_at_once=own.ask_at_once,
        together=max(1, min(10, round(own.requests_per_second))),
    )


def main() -> None:
    """Run the status service in this process."""
    run(make)
