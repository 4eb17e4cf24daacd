"""An iMIS, a ledger and a clock in memory, and facts about texts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select
from tests.databases import database_in

from chassis.outbox import OUTBOX, headers_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, decode, seal
from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import MessageQueued, MessageStatus, MessageStatusChanged
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    TwilioAccess,
)
from contracts.ids import effect_id
from imis_writer.adapters.intake import SqlIntake
from imis_writer.adapters.ledger import SqlLedger
from imis_writer.adapters.tables import EFFECTS, METADATA, SETTINGS
from imis_writer.domain.doubts import Candidate, Surroundings
from imis_writer.domain.effects import (
    KIND,
    Change,
    Doubtful,
    Effect,
    LoginRefused,
    NoAnswer,
    Outcome,
    State,
    Written,
)

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
KEY = SecretStr(Fernet.generate_key().decode())
ORGANIZATION, OTHER, RUN, CAMPAIGN = (UUID(int=number) for number in range(1, 5))


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def open_store(folder: Path) -> Store:
    settings = ServiceSettings(
        kafka_url="localhost:1", database_url=database_in(folder), secret_key=KEY, instance="w-1"
    )
    return Store(settings, name="imis-writer", metadata=METADATA, power_safe=True)


def queued(message_id: UUID | None = None, **more: Any) -> Envelope[MessageQueued]:
    given: dict[str, Any] = {
        "organization_id": ORGANIZATION,
        "occurred_at": NOON,
        "sequence": 1,
        "run_id": RUN,
        "campaign_id": CAMPAIGN,
        "message_id": message_id or uuid4(),
        "recipient_id": uuid4(),
        "row": 0,
        "imis_id": "101",
        "to": "+12025550143",
        "from_number": "+18885550100",
        "text": "Hello Zoë",
        "segments": 1,
        "mode": Mode.LIVE,
        "write_to": WriteTo.ACTIVITY,
    }
    return seal(MessageQueued(**(given | more)))


def status(
    message_id: UUID, is_now: MessageStatus = MessageStatus.SENT, **more: Any
) -> Envelope[MessageStatusChanged]:
    given: dict[str, Any] = {
        "organization_id": ORGANIZATION,
        "occurred_at": NOON + timedelta(seconds=9),
        "sequence": 2,
        "run_id": RUN,
        "campaign_id": CAMPAIGN,
        "message_id": message_id,
        "status": is_now,
        "segments": 1,
        "mode": Mode.LIVE,
        "attempted_at": NOON,
    }
    return seal(MessageStatusChanged(**(given | more)))


def organization(
    *, sequence: int = 1, organization_id: UUID = ORGANIZATION, test_runs: bool = False, **imis: Any
) -> OrganizationSettingsChanged:
    given = {"url": "http://127.0.0.1:1", "username": "u", "password_encrypted": "x"} | imis
    return OrganizationSettingsChanged(
        organization_id=organization_id,
        occurred_at=NOON,
        sequence=sequence,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            write_test_runs=test_runs,
            imis=ImisAccess(**given),
            twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted="x"),
        ),
    )


def effect(**more: Any) -> Effect:
    message_id = more.pop("message_id", None) or uuid4()
    return replace(
        Effect(
            message_id=message_id,
            effect_id=effect_id(message_id, KIND),
            organization_id=ORGANIZATION,
            run_id=RUN,
            campaign_id=CAMPAIGN,
            imis_id="101",
            to="+12025550143",
            text="Hello Zoë",
            mode=Mode.LIVE,
            transaction_date=NOON,
            because=uuid4(),
            attempts=1,
        ),
        **more,
    )


def candidate(seqn: str = "7", **more: Any) -> Candidate:
    given: dict[str, Any] = {
        "seqn": seqn,
        "imis_id": "101",
        "kind": KIND,
        "transaction_date": NOON.replace(microsecond=0),
        "description": "+12025550143",
        "note": "Hello Zoë",
    }
    return Candidate(**(given | more))


@dataclass
class FakeImis:
    """Keeps what is written; `plan` says how the next writes go, then all go well."""

    plan: list[Outcome | str] = field(default_factory=list)
    held: list[Candidate] = field(default_factory=list)
    findable: bool = True
    opened: int = 0

    async def write(self, wanted: Effect) -> Outcome:
        step = self.plan.pop(0) if self.plan else "well"
        if not isinstance(step, str):
            return step
        self.held.append(
            candidate(
                str(len(self.held) + 1),
                imis_id=wanted.imis_id,
                transaction_date=wanted.transaction_date.replace(microsecond=0),
                description=wanted.to,
                note=wanted.text,
            )
        )
        return Written(str(len(self.held))) if step == "well" else Doubtful()

    async def find(self, imis_id: str) -> list[Candidate] | NoAnswer | LoginRefused:
        return (
            [each for each in self.held if each.imis_id == imis_id] if self.findable else NoAnswer()
        )

    async def site(self, organization: OrganizationSettingsChanged) -> "FakeImis":
        return self

    async def forget(self, organization_id: UUID) -> None:
        self.opened += 1


@dataclass
class FakeOrganizations:
    known: dict[UUID, OrganizationSettingsChanged] = field(default_factory=dict)

    async def get(self, organization_id: UUID) -> OrganizationSettingsChanged | None:
        return self.known.get(organization_id)


@dataclass
class Row:
    effect: Effect
    state: State
    not_before: datetime | None = None
    message: bool = False
    status_sequence: int | None = None
    claimed_by: tuple[str, UUID] | None = None
    lease_until: datetime | None = None
    seqn: str | None = None


@dataclass
class FakeLedger:
    """The ledger and its intake in memory; several processes share `rows` and `told`."""

    process: UUID = field(default_factory=uuid4)
    rows: dict[UUID, Row] = field(default_factory=dict)
    told: list[ActivityWritten | ActivityRefused] = field(default_factory=list)
    known: set[UUID] = field(default_factory=lambda: {ORGANIZATION})
    instance: str = "w-1"

    def reopened(self, instance: str = "w-1") -> "FakeLedger":
        return FakeLedger(rows=self.rows, told=self.told, known=self.known, instance=instance)

    def _row(self, message_id: UUID) -> Row:
        return self.rows.setdefault(
            message_id, Row(effect(message_id=message_id, attempts=0), State.WAITING)
        )

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        for event in (each.event for each in messages):
            row = self._row(event.message_id)
            if row.message:
                continue
            row.message = True
            row.effect = replace(
                row.effect,
                organization_id=event.organization_id,
                imis_id=event.imis_id,
                to=event.to,
                text=event.text,
                mode=event.mode,
            )
            if event.write_to is not WriteTo.ACTIVITY:
                row.state = State.UNNEEDED
            elif row.status_sequence is not None:
                row.state = State.READY

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        for each in statuses:
            event, row = each.event, self._row(each.event.message_id)
            untried = row.state in {State.WAITING, State.READY} and row.effect.attempts == 0
            known = row.status_sequence
            if not untried or (known is not None and known <= event.sequence):
                continue
            row.status_sequence = event.sequence
            sent_at = event.attempted_at or event.occurred_at
            row.effect = replace(row.effect, transaction_date=sent_at, because=each.id)
            row.not_before = sent_at
            row.state = State.READY if row.message else State.WAITING

    async def recover(self, *, at: datetime, look_at: datetime) -> int:
        dead = [
            row
            for row in self.rows.values()
            if row.lease_until is not None
            and row.claimed_by is not None
            and (
                row.lease_until < at
                or (row.claimed_by[0] == self.instance and row.claimed_by[1] != self.process)
            )
        ]
        for row in dead:
            row.state, row.not_before, row.lease_until = State.IN_DOUBT, look_at, None
        return len(dead)

    def _due(self, state: State, organization_id: UUID, at: datetime) -> list[Row]:
        due = [
            (row.not_before, number, row)
            for number, row in enumerate(self.rows.values())
            if row.effect.organization_id == organization_id
            and row.state is state
            and row.not_before is not None
            and row.not_before <= at
        ]
        return [row for *_, row in sorted(due, key=lambda each: each[:2])]

    async def organizations(self, *, at: datetime) -> list[UUID]:
        return [
            each
            for each in self.known
            if self._due(State.READY, each, at) or self._due(State.IN_DOUBT, each, at)
        ]

    async def claim(
        self, organization_id: UUID, *, at: datetime, lease_until: datetime, limit: int
    ) -> list[Effect]:
        claimed = self._due(State.READY, organization_id, at)[:limit]
        for row in claimed:
            row.state, row.not_before, row.lease_until = State.CLAIMED, None, lease_until
            row.claimed_by = self.instance, self.process
            row.effect = replace(row.effect, attempts=row.effect.attempts + 1, looks=0)
        return [row.effect for row in claimed]

    async def doubts(self, organization_id: UUID, *, at: datetime, limit: int) -> list[Effect]:
        return [row.effect for row in self._due(State.IN_DOUBT, organization_id, at)[:limit]]

    async def around(self, organization_id: UUID, imis_ids: Sequence[str]) -> Surroundings:
        theirs = [
            row
            for row in self.rows.values()
            if row.effect.organization_id == organization_id and row.effect.imis_id in imis_ids
        ]
        unsettled = {State.CLAIMED, State.IN_DOUBT, State.UNKNOWN}
        return Surroundings(
            frozenset(row.seqn for row in theirs if row.seqn is not None),
            [row.effect for row in theirs if row.state in unsettled],
        )

    async def record(self, changes: Sequence[Change]) -> None:
        for change in changes:
            row = self.rows[change.effect.message_id]
            current = row.effect.attempts == change.effect.attempts and (
                change.state is State.WRITTEN or row.effect.looks == change.effect.looks
            )
            if row.state not in {State.CLAIMED, State.IN_DOUBT} or not current:
                continue
            row.state, row.not_before = change.state, change.not_before
            row.lease_until, row.seqn = None, change.seqn
            row.effect = replace(row.effect, looks=change.looks)
            if change.event is not None:
                row.effect = replace(row.effect, sequence=change.event.sequence)
                self.told.append(change.event)

    async def know(self, event: OrganizationSettingsChanged) -> None:
        self.known.add(event.organization_id)

    async def state(self, message_id: UUID) -> str:
        return self.rows[message_id].state.value

    async def published(self) -> list[ActivityWritten | ActivityRefused]:
        return self.told


class SqlKept(SqlLedger):
    """The SQL ledger with its intake, and what a test asks of it."""

    def __init__(self, store: Store, instance: str = "w-1") -> None:
        super().__init__(store, instance=instance, process=uuid4())
        self.store = store

    def reopened(self, instance: str = "w-1") -> "SqlKept":
        return SqlKept(self.store, instance)

    async def know(self, event: OrganizationSettingsChanged) -> None:
        async with self.store.transaction() as transaction:
            await SETTINGS.fold(transaction, [seal(event)])

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).queued(messages)

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        async with self.store.transaction() as transaction:
            await SqlIntake(transaction).succeeded(statuses)

    async def state(self, message_id: UUID) -> str:
        async with self.store.read() as connection:
            query = select(EFFECTS.c.state).where(EFFECTS.c.message_id == message_id)
            return str(await connection.scalar(query))

    async def published(self) -> list[ActivityWritten | ActivityRefused]:
        async with self.store.read() as connection:
            query = select(OUTBOX.c.headers, OUTBOX.c.value).order_by(OUTBOX.c.position)
            rows = (await connection.execute(query)).all()
        events = [decode(headers_of(row.headers), row.value).event for row in rows]
        return cast("list[ActivityWritten | ActivityRefused]", events)


Kept = FakeLedger | SqlKept
