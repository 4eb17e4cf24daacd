"""A log of one run that is whole, record by record, for tests to read or to harm."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts import ids
from contracts.envelope import Envelope
from contracts.events.activity import ActivityWritten
from contracts.events.audience import (
    Reason,
    Recipient,
    RecipientRejected,
    RecipientsResolved,
    Totals,
)
from contracts.events.base import Event
from contracts.events.campaign import (
    Audience,
    CampaignDefinition,
    CampaignDue,
    CampaignScheduled,
    CampaignStatus,
    Mode,
    WriteTo,
)
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
)
from contracts.events.provider import TwilioCallbackReceived
from contracts.events.run import RunCompleted, RunStarted
from textmanager.eventlog import Logged

NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
OURS = "+18885550100"


class LogBook:
    """Writes a whole run: the last of its rows is rejected, all others are delivered."""

    def __init__(self, rows: int = 3) -> None:
        self.rows = rows
        self.records: list[Logged] = []
        self.organization, self.campaign = uuid4(), uuid4()
        self.run = ids.run_id(self.campaign, "launch:1")
        scheduled = self.write(
            CampaignScheduled,
            campaign_id=self.campaign,
            status=CampaignStatus.SCHEDULED,
            definition=CampaignDefinition(name="Renewal"),
            launch=1,
            due_at=NOON,
            by="KSMITH",
        )
        due = self.write(
            CampaignDue,
            because=scheduled,
            occurrence="launch:1",
            due_at=NOON,
            name="Renewal",
            audience=Audience(iqa_path="$/x", phone_column="Phone", id_column="Id"),
            template="Hello",
            mode=Mode.LIVE,
            write_to=WriteTo.ACTIVITY,
            from_number=OURS,
            one_text_per_phone=False,
            default_country="US",
            **self.of_run,
        )
        people = [self.recipient(row) for row in range(1, self.rows)]
        totals = Totals(rows=self.rows, recipients=len(people), rejected=1, segments=len(people))
        page = self.write(
            RecipientsResolved,
            because=due,
            mode=Mode.LIVE,
            write_to=WriteTo.ACTIVITY,
            from_number=OURS,
            recipients=tuple(people),
            totals=totals,
            **self.of_run,
        )
        self.write(
            RecipientRejected,
            because=due,
            recipient_id=ids.recipient_id(self.run, self.rows),
            row=self.rows,
            imis_id=str(self.rows),
            phone="12",
            reason=Reason.INVALID_NUMBER,
            **self.of_run,
        )
        self.write(RunStarted, because=page, **self.of_run)
        for person in people:
            last = self.deliver(person, because=page)
        self.write(
            RunCompleted,
            sequence=2,
            because=last,
            rows=self.rows,
            messages=len(people),
            rejected=1,
            excluded=0,
            **self.of_run,
        )

    @property
    def of_run(self) -> dict[str, Any]:
        return {"run_id": self.run, "campaign_id": self.campaign}

    def recipient(self, row: int) -> Recipient:
        recipient = ids.recipient_id(self.run, row)
        return Recipient(
            recipient_id=recipient,
            message_id=ids.message_id(recipient),
            row=row,
            imis_id=str(row),
            to=f"+1202555{row:04}",
            text="Hello",
            segments=1,
        )

    def deliver(self, person: Recipient, *, because: UUID) -> UUID:
        of: dict[str, Any] = {"message_id": person.message_id, **self.of_run}
        sid = f"SM{person.row:032}"
        queued = self.write(
            MessageQueued,
            because=because,
            recipient_id=person.recipient_id,
            row=person.row,
            imis_id=person.imis_id,
            to=person.to,
            from_number=OURS,
            text=person.text,
            segments=1,
            mode=Mode.LIVE,
            write_to=WriteTo.ACTIVITY,
            **of,
        )
        submitted = self.write(
            MessageSubmitted,
            because=queued,
            sequence=2,
            outcome=Accepted(sid=sid),
            segments=1,
            attempted_at=NOON,
            **of,
        )
        sent = self.tell(MessageStatus.SENT, 1, sid, because=submitted, of=of)
        callback = self.write(
            TwilioCallbackReceived,
            sequence=0,
            message_id=person.message_id,
            account_sid="AC" + "0" * 32,
            message_sid=sid,
            message_status="delivered",
            form={},
        )
        self.write(
            ActivityWritten,
            because=sent,
            effect_id=ids.effect_id(person.message_id, "TEXTMSG"),
            kind="TEXTMSG",
            imis_id=person.imis_id,
            seqn=str(person.row),
            transaction_date=NOON,
            **of,
        )
        return self.tell(MessageStatus.DELIVERED, 2, sid, because=callback, of=of)

    def tell(
        self, status: MessageStatus, number: int, sid: str, *, because: UUID, of: dict[str, Any]
    ) -> UUID:
        return self.write(
            MessageStatusChanged,
            because=because,
            sequence=number,
            status=status,
            sid=sid,
            segments=1,
            mode=Mode.LIVE,
            attempted_at=NOON,
            **of,
        )

    def write(
        self,
        event: type[Event],
        /,
        *,
        because: UUID | None = None,
        sequence: int = 1,
        **fields: Any,
    ) -> UUID:
        fact = event.model_validate(
            {
                "organization_id": self.organization,
                "occurred_at": NOON,
                "sequence": sequence,
                **fields,
            }
        )
        envelope = Envelope(fact, ids.event_id(), because)
        self.records.append(Logged(envelope, NOON, fact.topic, 0, len(self.records)))
        return envelope.id


def reader(records: Sequence[Logged]) -> Callable[..., AsyncIterator[Logged]]:
    """Read these records as `read_log` reads Kafka's."""

    async def read(_kafka: str, topics: Sequence[str]) -> AsyncIterator[Logged]:
        for each in records:
            if each.topic in topics:
                yield each

    return read
