"""The ledger within the transaction of a batch of events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update

from chassis.store import Transaction
from contracts.envelope import Envelope, seal
from contracts.events.audience import Recipient, RecipientsResolved
from contracts.events.campaign import Mode
from contracts.events.message import Accepted, MessageQueued, MessageSubmitted, Simulated
from sender.adapters.tables import MESSAGES, RUNS
from sender.domain.messages import State
from sender.ports import Witness


class SqlIntake:
    """Enters recipients, and settles claims that a callback names."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(
        self, pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime
    ) -> list[Envelope[MessageQueued | MessageSubmitted]]:
        """Enter what is new; a TEST's messages are settled at once, nothing leaves the house."""
        wanted = {
            recipient.message_id: (page, recipient)
            for page in pages
            for recipient in page.event.recipients
        }
        known = set(
            (
                await self._transaction.execute(
                    select(MESSAGES.c.message_id).where(MESSAGES.c.message_id.in_(wanted))
                )
            ).scalars()
        )
        queued = [
            seal(_queued(page.event, recipient, at), because=page.id)
            for message_id, (page, recipient) in wanted.items()
            if message_id not in known
        ]
        await self._transaction.insert_new(MESSAGES, [_row(each) for each in queued])
        runs = {
            (each.event.organization_id, each.event.from_number, each.event.run_id)
            for each in queued
        }
        await self._transaction.insert_new(
            RUNS,
            [
                {"organization_id": organization, "from_number": number, "run_id": run}
                for organization, number, run in runs
            ],
        )
        tests = [each for each in queued if each.event.mode is Mode.TEST]
        return [*queued, *(seal(_simulated(each.event), because=each.id) for each in tests)]

    async def witness(self, witnesses: Mapping[UUID, Witness]) -> list[Envelope[MessageSubmitted]]:
        """Settle open claims and doubts by callbacks that prove that Twilio has the message.

        One that was held to be absent and waits again is settled too, rather than sent again.
        """
        open_states = (State.QUEUED, State.CLAIMED, State.IN_DOUBT, State.UNKNOWN)
        query = (
            select(MESSAGES)
            .where(MESSAGES.c.message_id.in_(witnesses), MESSAGES.c.state.in_(open_states))
            .with_for_update()
        )
        settled: list[Envelope[MessageSubmitted]] = []
        changes = []
        for row in (await self._transaction.execute(query)).all():
            witness = witnesses[row.message_id]
            if not _is_about(witness, row):
                continue
            changes.append({"id": row.message_id, "taken_sid": witness.sid})
            outcome = Accepted(sid=witness.sid)
            settled.append(seal(submitted(row, outcome), because=row.queued_event))
        if changes:
            await self._transaction.execute(
                update(MESSAGES)
                .where(MESSAGES.c.message_id == bindparam("id"))
                .values(
                    state=State.ACCEPTED,
                    sid=bindparam("taken_sid"),
                    open_claim=None,
                    sequence=MESSAGES.c.sequence + 1,
                ),
                changes,
            )
        return settled


def _is_about(witness: Witness, row: Any) -> bool:
    """Whether a signed callback is this message's: the signature proves an account alone."""
    return (
        witness.organization_id == row.organization_id
        and witness.from_number == row.from_number
        and witness.to_number == row.to_number
        and row.claim_id is not None
    )


def submitted(row: Any, outcome: Any, *, attempted_at: datetime | None = None) -> MessageSubmitted:
    """Return the event that says what became of a ledger row; its sequence is the row's next."""
    moment = attempted_at or row.claimed_at
    return MessageSubmitted(
        organization_id=row.organization_id,
        occurred_at=moment,
        sequence=row.sequence + 1,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        message_id=row.message_id,
        outcome=outcome,
        segments=row.segments,
        attempted_at=moment,
    )


def _queued(page: RecipientsResolved, recipient: Recipient, at: datetime) -> MessageQueued:
    return MessageQueued(
        organization_id=page.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=page.run_id,
        campaign_id=page.campaign_id,
        message_id=recipient.message_id,
        recipient_id=recipient.recipient_id,
        row=recipient.row,
        imis_id=recipient.imis_id,
        to=recipient.to,
        from_number=page.from_number,
        text=recipient.text,
        segments=recipient.segments,
        mode=page.mode,
        write_to=page.write_to,
    )


def _simulated(queued: MessageQueued) -> MessageSubmitted:
    """Say of a TEST message that it was simulated (TM-6)."""
    return MessageSubmitted(
        organization_id=queued.organization_id,
        occurred_at=queued.occurred_at,
        sequence=2,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=queued.message_id,
        outcome=Simulated(),
        segments=queued.segments,
        attempted_at=queued.occurred_at,
    )


def _row(envelope: Envelope[MessageQueued]) -> dict[str, Any]:
    event = envelope.event
    test = event.mode is Mode.TEST
    return {
        "message_id": event.message_id,
        "organization_id": event.organization_id,
        "run_id": event.run_id,
        "campaign_id": event.campaign_id,
        "row": event.row,
        "from_number": event.from_number,
        "to_number": event.to,
        "text": event.text,
        "segments": event.segments,
        "state": State.SIMULATED if test else State.QUEUED,
        "queued_event": envelope.id,
        "sequence": 2 if test else 1,
        "looks": 0,
    }
