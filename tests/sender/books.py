"""A send ledger to test, on SQLite or PostgreSQL, with an organisation's settings in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select

from chassis.batches import is_outage
from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts import ids
from contracts.envelope import decode, seal
from contracts.events.audience import Recipient, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignStatus,
    Mode,
    WriteTo,
)
from contracts.events.consent import Consent, ConsentCause, ConsentChanged
from contracts.events.message import MessageRequested, ReplyRequested
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from sender.adapters.consents import SqlConsents
from sender.adapters.controls import SqlControls
from sender.adapters.intake import SqlIntake
from sender.adapters.ledger import SqlLedger
from sender.adapters.sweeps import SqlSweeps
from sender.adapters.tables import DAY_USAGE, MESSAGES, METADATA, RUN_USAGE, SETTINGS
from sender.domain.controls import Stops
from sender.domain.messages import Claim, Lane, counted
from sender.ports import NO_STOPS
from sender.sweeping import Sweeping
from timing import quiet

NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
LEASE = timedelta(seconds=45)
ORGANIZATION = ids.organization_id("demo")
LANE = Lane(ORGANIZATION, "+18885550100")


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Store]:
    """A ledger of a test's own."""
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1",
        database_url=database_url,
        secret_key=SecretStr(Fernet.generate_key().decode()),
        instance="sender-1",
    )
    store = Store(settings, name="sender", metadata=METADATA, power_safe=True)
    await store.start()
    await set_limits(store)
    try:
        yield store
    finally:
        await store.stop()


def ledger(store: Store, *, instance: str = "sender-1", process: UUID | None = None) -> SqlLedger:
    return SqlLedger(store, instance=instance, process=process or uuid4(), grace_seconds=120)


async def set_limits(
    store: Store,
    *,
    sequence: int = 1,
    rate: float = 100,
    auth_token: str = "x",
    limits: dict[str, Any] | None = None,
    number: dict[str, Any] | None = None,
) -> None:
    """Tell the ledger the organisation's settings, and more of its number."""
    event = OrganizationSettingsChanged(
        organization_id=ORGANIZATION,
        occurred_at=NOW,
        sequence=sequence,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            numbers=(
                SendingNumber(number=LANE.from_number, segments_per_second=rate, **(number or {})),
            ),
            imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
            twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted=auth_token),
            **(limits or {}),
        ),
    )
    async with store.transaction() as transaction:
        await SETTINGS.fold(transaction, [seal(event)])


def page_of(
    numbers: Sequence[str], *, segments: Sequence[int] | int = 1, mode: Mode = Mode.LIVE
) -> RecipientsResolved:
    run = ids.run_id(uuid4(), "launch:1")
    costs = [segments] * len(numbers) if isinstance(segments, int) else segments
    return RecipientsResolved(
        organization_id=ORGANIZATION,
        occurred_at=NOW,
        sequence=1,
        run_id=run,
        campaign_id=uuid4(),
        mode=mode,
        write_to=WriteTo.ACTIVITY,
        from_number=LANE.from_number,
        recipients=tuple(
            Recipient(
                recipient_id=ids.recipient_id(run, row),
                message_id=ids.message_id(ids.recipient_id(run, row)),
                row=row,
                imis_id=str(row),
                to=number,
                text="Hi",
                segments=cost,
            )
            for row, (number, cost) in enumerate(zip(numbers, costs, strict=True), 1)
        ),
    )


async def take(
    store: Store,
    numbers: Sequence[str],
    *,
    segments: Sequence[int] | int = 1,
    mode: Mode = Mode.LIVE,
) -> RecipientsResolved:
    """Enter a run of one page into the ledger."""
    return await enter(store, page_of(numbers, segments=segments, mode=mode))


async def enter(
    store: Store, page: RecipientsResolved, *, at: datetime = NOW
) -> RecipientsResolved:
    """Enter a page of a run into the ledger."""
    async with store.transaction() as transaction:
        for envelope in await SqlIntake(transaction).take([seal(page)], at=at):
            transaction.publish_sealed(envelope)
    return page


async def ask(store: Store, *asked: MessageRequested | ReplyRequested, at: datetime = NOW) -> None:
    """Enter texts that leave before all others."""
    async with store.transaction() as transaction:
        sealed: list[Any] = [seal(each) for each in asked]
        for envelope in await SqlIntake(transaction).take_singles(sealed, at=at):
            transaction.publish_sealed(envelope)


def step(
    page: RecipientsResolved, event: type[CampaignEvent], sequence: int, **more: Any
) -> CampaignEvent:
    """A step in the life of a page's campaign, with the status that it results in."""
    status = {
        "CampaignPaused": CampaignStatus.PAUSED,
        "CampaignCancelled": CampaignStatus.CANCELLED,
        "CampaignDeleted": CampaignStatus.DELETED,
        "CampaignArchived": CampaignStatus.ARCHIVED,
    }.get(event.__name__, CampaignStatus.SENDING)
    given: dict[str, Any] = {
        "organization_id": page.organization_id,
        "occurred_at": NOW,
        "sequence": sequence,
        "campaign_id": page.campaign_id,
        "status": status,
        "definition": CampaignDefinition(name="Dues"),
    }
    return event(**(given | more))


async def follow(store: Store, *steps: CampaignEvent) -> None:
    """Fold what the log tells of campaigns."""
    async with store.transaction() as transaction:
        await SqlControls(transaction).follow([seal(each) for each in steps])


async def sweep(store: Store, *, at: datetime = NOW) -> None:
    """Do what the workers do, until there is nothing left to do."""
    sweeping = Sweeping(SqlSweeps(store, quiet.standard()), clock=lambda: at, wake=lambda: None)
    while await sweeping.leave_out_cancelled() or await sweeping.keep_hours():
        pass


async def claims(
    book: SqlLedger, *, budget: int = 1000, at: datetime = NOW, stops: Stops = NO_STOPS
) -> list[Claim]:
    picked = await book.claim(LANE, at=at, until=at + LEASE, budget=budget, limit=100, stops=stops)
    return list(picked.claims)


async def all_claims(book: SqlLedger, *, budget: int = 1000, at: datetime = NOW) -> list[Claim]:
    """Claim as dispatch does: again and again while something was left out."""
    found: list[Claim] = []
    while True:
        picked = await book.claim(LANE, at=at, until=at + LEASE, budget=budget, limit=100)
        found += picked.claims
        if not picked.left_out:
            return found


def consent(
    number: str,
    sequence: int,
    *,
    out: bool,
    from_number: str = LANE.from_number,
    at: datetime = NOW,
    organization: UUID = ORGANIZATION,
) -> ConsentChanged:
    return ConsentChanged(
        organization_id=organization,
        occurred_at=at,
        sequence=sequence,
        consent_id=ids.consent_id(organization, f"{from_number}/{number}"),
        number=number,
        from_number=from_number,
        consent=Consent.OPTED_OUT if out else Consent.OPTED_IN,
        cause=ConsentCause.KEYWORD,
    )


async def hear(store: Store, *changes: ConsentChanged) -> None:
    """Fold what consent told."""
    async with store.transaction() as transaction:
        told = await SqlConsents(transaction).fold([seal(each) for each in changes], at=NOW)
        for envelope in told:
            transaction.publish_sealed(envelope)


async def rows(store: Store) -> list[Any]:
    async with store.read() as connection:
        found = await connection.execute(select(MESSAGES).order_by(MESSAGES.c.row))
        return list(found.all())


async def states(store: Store) -> list[str]:
    return [row.state for row in await rows(store)]


async def told(store: Store) -> list[Event]:
    """The events that are in the outbox, in order."""
    async with store.read() as connection:
        found = (await connection.execute(select(OUTBOX).order_by(OUTBOX.c.position))).all()
    return [decode(headers_of(row.headers), row.value).event for row in found]


async def published(store: Store) -> list[str]:
    return [event.topic for event in await told(store)]


def numbers(count: int, start: int = 0) -> list[str]:
    return [f"+1202555{1000 + start + n}" for n in range(count)]


async def books_agree(store: Store) -> None:
    """What is booked is what the messages' states say, for each run, and each day and number."""
    runs: dict[UUID, int] = {}
    days: dict[tuple[str, str], int] = {}
    for row in await rows(store):
        if counted(row.state, row.reason):
            runs[row.run_id] = runs.get(row.run_id, 0) + row.segments
            on = (row.day, row.from_number)
            days[on] = days.get(on, 0) + row.segments
    async with store.read() as connection:
        by_run = (await connection.execute(select(RUN_USAGE))).all()
        by_day = (await connection.execute(select(DAY_USAGE))).all()
    assert {row.run_id: row.used for row in by_run if row.used} == runs
    assert {(row.day, row.from_number): row.used for row in by_day if row.used} == days


async def until_done(work: Any) -> Any:
    """Do as the chassis does: what a dead-lock stopped is tried again."""
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_outage(error):
                raise
