"""Events about one organisation's campaign, as other services tell them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from pydantic import SecretStr
from tests.databases import database_in

from chassis.settings import ServiceSettings
from chassis.store import Store, Transaction
from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.base import Event
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignDue,
    CampaignKind,
    CampaignScheduled,
    CampaignStatus,
    Mode,
    Recurrence,
    WriteTo,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    TwilioAccess,
)
from contracts.events.run import RunAlarm, RunAlarmRaised, RunCompleted, RunFailed
from notifier.adapters.tables import METADATA
from notifier.settings import NotifierSettings
from notifier.subscribers import subscriptions

NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)
ORGANIZATION = ids.organization_id("demo")
CAMPAIGN = UUID(int=7)
RUN = ids.run_id(CAMPAIGN, "launch:1")
AUTHOR, OFFICE = "author@demo.example", "office@demo.example"
AUDIENCE = Audience(iqa_path="$/q", phone_column="Phone", id_column="Id")


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def definition(**fields: Any) -> CampaignDefinition:
    return CampaignDefinition.model_validate(
        {"name": "Dues", "email": AUTHOR, "audience": AUDIENCE, "template": "Hello"} | fields
    )


def recurring(rule: str, *, starts: str, zone: str = "UTC") -> CampaignDefinition:
    recurrence = Recurrence(rule=rule, starts=datetime.fromisoformat(starts), time_zone=zone)
    return definition(kind=CampaignKind.RECURRING, recurrence=recurrence)


def settings_changed(*, email: str | None = OFFICE, **fields: Any) -> OrganizationSettingsChanged:
    settings = OrganizationSettings(
        name="Demo",
        cloud_id="demo",
        default_email=email,
        imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
        twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted="x"),
        **fields,
    )
    return OrganizationSettingsChanged(
        organization_id=ORGANIZATION, occurred_at=NOON, sequence=1, settings=settings
    )


def scheduled(
    *,
    at: datetime | None = NOON,
    sequence: int = 2,
    occurred_at: datetime = NOON,
    what: CampaignDefinition | None = None,
    status: CampaignStatus = CampaignStatus.SCHEDULED,
    launch: int = 1,
) -> CampaignScheduled:
    return CampaignScheduled(
        organization_id=ORGANIZATION,
        occurred_at=occurred_at,
        sequence=sequence,
        campaign_id=CAMPAIGN,
        status=status,
        definition=what or definition(),
        launch=launch,
        due_at=at,
    )


def due(
    *, at: datetime = NOON, occurrence: str = "launch:1", mode: Mode = Mode.LIVE
) -> CampaignDue:
    return CampaignDue(
        organization_id=ORGANIZATION,
        occurred_at=at,
        sequence=1,
        run_id=ids.run_id(CAMPAIGN, occurrence),
        campaign_id=CAMPAIGN,
        occurrence=occurrence,
        due_at=at,
        name="Dues",
        audience=AUDIENCE,
        template="Hello",
        mode=mode,
        write_to=WriteTo.NOTHING,
        from_number="+18885550100",
        one_text_per_phone=False,
        default_country="US",
    )


def about_run(at: datetime = NOON, sequence: int = 2, run_id: UUID = RUN) -> dict[str, Any]:
    return {
        "organization_id": ORGANIZATION,
        "occurred_at": at,
        "sequence": sequence,
        "run_id": run_id,
        "campaign_id": CAMPAIGN,
    }


def completed(*, rows: int = 3, at: datetime = NOON, run_id: UUID = RUN) -> RunCompleted:
    return RunCompleted(
        **about_run(at, 2, run_id), rows=rows, messages=rows, rejected=0, excluded=0
    )


def failed(reason: str = "The query is gone.", *, run_id: UUID = RUN) -> RunFailed:
    return RunFailed(**about_run(run_id=run_id), reason=reason)


def alarm(
    kind: RunAlarm = RunAlarm.STALLED, *, run_id: UUID = RUN, sequence: int = 3, **fields: Any
) -> RunAlarmRaised:
    return RunAlarmRaised(
        **about_run(NOON, sequence, run_id), alarm=kind, detail="3 of 5 texts", **fields
    )


def open_store(folder: Path, *, database_url: str = "") -> Store:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=database_url or database_in(folder),
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="t-1",
    )
    return Store(settings, name="notifier", metadata=METADATA)


class Told:
    """Hands events to the handlers as the subscriptions do."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self.clock = store, clock
        self._handlers = {
            kind: handle
            for each in subscriptions(NotifierSettings(), wake=lambda: None, clock=clock)
            for kind, handle in each.handlers.items()
        }

    async def tell(self, *events: Event) -> None:
        await self.tell_sealed([seal(each) for each in events])

    async def tell_sealed(self, envelopes: Iterable[Envelope[Any]]) -> None:
        async with self._store.transaction() as transaction:
            await self.tell_in(transaction, envelopes)

    async def tell_in(self, transaction: Transaction, envelopes: Iterable[Envelope[Any]]) -> None:
        for each in envelopes:
            await self._handlers[type(each.event)](transaction, [each])
