"""What is known of each message, in SQL."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import case, delete, func, select

from chassis.store import Transaction, upsert
from contracts.envelope import Envelope
from contracts.events.provider import TwilioCallbackReceived
from status.adapters.tables import MESSAGES, PARKED
from status.domain.looking import Patience, first_look
from status.domain.message import Message
from status.ports import CallbackEnvelope

_DOCUMENT = TypeAdapter(Message)
_SID_LOCK = 7462
_REPLACED = ("sid", "known", "organization_id", "from_number", "sent_at")


class SqlMessages:
    """Messages within one transaction."""

    def __init__(self, transaction: Transaction, patience: Patience) -> None:
        self._transaction = transaction
        self._patience = patience
        self._shared = transaction.connection.dialect.name == "postgresql"

    async def hold(self, message_ids: Collection[UUID]) -> dict[UUID, Message]:
        """Return what is known, and let nobody else change it before this transaction ends."""
        if not message_ids:
            return {}
        columns = MESSAGES.c
        if self._shared:
            # A row that isn't there can't be locked. SQLite has one writer and needs no locks.
            await self._transaction.insert_new(
                MESSAGES, [{"message_id": each} for each in sorted(message_ids)]
            )
        query = (
            select(columns.message_id, columns.known)
            .where(columns.message_id.in_(message_ids))
            .order_by(columns.message_id)
            .with_for_update()
        )
        return {
            row.message_id: _DOCUMENT.validate_json(row.known)
            for row in await self._transaction.execute(query)
            if row.known is not None
        }

    async def keep(self, messages: Mapping[UUID, Message]) -> None:
        """Keep what is known now."""
        if not messages:
            return
        statement = upsert(self._transaction.connection, MESSAGES)
        new = statement.excluded
        # A look that was put off stays put off, until there is nothing left to look for.
        look_at = case(
            (new.look_at.is_(None), None), else_=func.coalesce(MESSAGES.c.look_at, new.look_at)
        )
        statement = statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_={name: new[name] for name in _REPLACED} | {"look_at": look_at},
        )
        await self._transaction.execute(
            statement, [self._row(key, messages[key]) for key in sorted(messages)]
        )

    def _row(self, message_id: UUID, message: Message) -> dict[str, object]:
        queued, submission = message.queued, message.submission
        return {
            "message_id": message_id,
            "sid": message.sid,
            "known": _DOCUMENT.dump_json(message),
            "organization_id": queued and queued.organization_id,
            "from_number": queued and queued.from_number,
            "sent_at": submission and submission.attempted_at,
            "look_at": first_look(message, self._patience),
        }

    async def named_by(self, sids: Collection[str]) -> dict[str, UUID]:
        """Return the messages that Twilio's answers gave these SIDs."""
        await self._agree_on_sids(exclusively=True)
        columns = MESSAGES.c
        query = select(columns.sid, columns.message_id).where(columns.sid.in_(sids))
        return {row.sid: row.message_id for row in await self._transaction.execute(query)}

    async def park(self, callbacks: Sequence[CallbackEnvelope]) -> None:
        """Keep reports until an answer gives a message their SID."""
        rows = [
            {
                "event_id": each.id,
                "sid": each.event.message_sid,
                "causation_id": each.causation_id,
                "event": each.event.model_dump_json().encode(),
            }
            for each in callbacks
        ]
        await self._transaction.insert_new(PARKED, rows)

    async def unpark(self, sids: Collection[str]) -> list[CallbackEnvelope]:
        """Take out the reports that wait for these SIDs."""
        if not sids:
            return []
        await self._agree_on_sids(exclusively=False)
        columns = PARKED.c
        query = select(columns.event_id, columns.causation_id, columns.event).where(
            columns.sid.in_(sids)
        )
        rows = (await self._transaction.execute(query)).all()
        if rows:
            await self._transaction.execute(
                delete(PARKED).where(columns.event_id.in_([row.event_id for row in rows]))
            )
        return [
            Envelope(
                TwilioCallbackReceived.model_validate_json(row.event),
                row.event_id,
                row.causation_id,
            )
            for row in rows
        ]

    async def _agree_on_sids(self, *, exclusively: bool) -> None:
        """Let no report be parked while another transaction gives its SID to a message."""
        if self._shared:
            lock = func.pg_advisory_xact_lock if exclusively else func.pg_advisory_xact_lock_shared
            await self._transaction.execute(select(lock(_SID_LOCK)))
