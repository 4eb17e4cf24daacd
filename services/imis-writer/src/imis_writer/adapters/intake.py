"""Folds the facts about each text into its row, in any order, without reading it first."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    String,
    Uuid,
    and_,
    bindparam,
    case,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from chassis.instants import Instant
from chassis.store import Transaction, upsert
from contracts.envelope import Envelope
from contracts.events.activity import ActivityRetryRequested
from contracts.events.consent import ConsentChanged
from contracts.events.message import (
    MessageQueued,
    MessageStatusChanged,
    RecipientExcluded,
)
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from imis_writer.adapters import facts
from imis_writer.adapters.opt_outs import SqlOptOuts
from imis_writer.adapters.tables import EFFECTS, SETTINGS
from imis_writer.domain.effects import State

Insert = sqlite.Insert | postgresql.Insert
READY = literal(State.READY.value, String)
KEY = ["message_id", "about"]


class SqlIntake:
    """Takes facts within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def settings(self, organizations: Collection[UUID]) -> dict[UUID, OrganizationSettings]:
        """Return the newest settings of those organisations whose have arrived."""
        table = SETTINGS.table.c
        query = select(table.subject, table.event).where(table.subject.in_(organizations))
        found = (await self._transaction.execute(query)).all()
        read = OrganizationSettingsChanged.model_validate_json
        return {row.subject: read(row.event).settings for row in found}

    async def queued(self, messages: Sequence[Envelope[MessageQueued]]) -> None:
        """Know what is to be written, and of whom an opt-out is to be told."""
        await self._merge(
            self._with_message(), [facts.message_row(each.event) for each in messages]
        )
        await self._note_opt_outs()

    async def succeeded(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        """Know that the texts were sent; the earliest fact counts."""
        await self._merge(self._with_status(), [facts.status_row(each) for each in statuses])

    async def refused(self, statuses: Sequence[Envelope[MessageStatusChanged]]) -> None:
        """Know that Twilio didn't send these, because their members have opted out."""
        if statuses:
            await self._merge(self._with_refusal(), [facts.refusal_row(each) for each in statuses])
            await self._note_opt_outs()

    async def excluded(self, excluded: Sequence[Envelope[RecipientExcluded]]) -> None:
        """Know that these were left out, because their members have opted out."""
        if not excluded:
            return
        attempts = [facts.excluded_attempt(each) for each in excluded]
        settings = await self.settings({each.organization_id for each in attempts})
        await SqlOptOuts(self._transaction, settings).take(attempts)

    async def consents(self, consents: Sequence[Envelope[ConsentChanged]]) -> None:
        """Have what a START undoes deleted, and tell of a STOP at once where that is wanted."""
        settings = await self.settings({each.event.organization_id for each in consents})
        await SqlOptOuts(self._transaction, settings).change(consents)

    async def retry(self, requests: Sequence[Envelope[ActivityRetryRequested]]) -> None:
        """Make ready again what was refused; what was put back by a later request stays."""
        table, at = EFFECTS.c, bindparam("at", type_=Instant)
        message_id = bindparam("wanted_message", type_=Uuid)
        statement = (
            update(EFFECTS)
            .where(
                table.organization_id == bindparam("wanted_organization"),
                table.run_id == bindparam("wanted_run"),
                or_(message_id.is_(None), table.message_id == message_id),
                table.state == literal_column(f"'{State.REFUSED.value}'"),
                or_(table.retried_at.is_(None), table.retried_at < at),
            )
            .values(state=State.READY, not_before=at, refusals=0, retried_at=at)
        )
        wanted = [
            {
                "at": each.event.occurred_at,
                "wanted_message": each.event.message_id,
                "wanted_organization": each.event.organization_id,
                "wanted_run": each.event.run_id,
            }
            for each in requests
        ]
        await self._transaction.execute(statement, wanted)

    async def _note_opt_outs(self) -> None:
        """Note the opt-outs of which both facts are known by now: by whose text, and that it was.

        There are hardly ever any, so that looking costs next to nothing.
        """
        table = EFFECTS.c
        told = and_(table.opted_out_at.is_not(None), table.imis_id.is_not(None))
        found = (await self._transaction.execute(select(EFFECTS).where(told))).all()
        if not found:
            return
        settings = await self.settings({row.organization_id for row in found})
        # What is written nowhere is told of nowhere.
        attempts = [facts.refused_attempt(row) for row in found if row.kind is not None]
        await SqlOptOuts(self._transaction, settings).take(attempts)
        mine = table.message_id.in_([row.message_id for row in found])
        await self._transaction.execute(update(EFFECTS).where(told, mine).values(opted_out_at=None))

    async def _merge(self, statement: Insert, rows: list[dict[str, Any]]) -> None:
        if rows:
            # In one order, so that two processes don't wait for each other's rows crosswise.
            rows.sort(key=lambda row: row["message_id"].bytes)
            await self._transaction.execute(statement, rows)

    def _with_message(self) -> Insert:
        statement = upsert(self._transaction.connection, EFFECTS)
        new, old = statement.excluded, EFFECTS.c
        state = case(
            (new.state == State.UNNEEDED, new.state),
            (old.transaction_date.is_not(None), READY),
            else_=new.state,
        )
        told = ("kind", "imis_id", "to_number", "from_number", "text", "subject", "mode")
        return statement.on_conflict_do_update(
            index_elements=KEY,
            set_={"state": state} | {name: new[name] for name in told},
            where=and_(old.state == State.WAITING, old.imis_id.is_(None)),
        )

    def _with_status(self) -> Insert:
        statement = upsert(self._transaction.connection, EFFECTS)
        new, old = statement.excluded, EFFECTS.c
        first = or_(old.status_sequence.is_(None), new.status_sequence < old.status_sequence)
        # Once a try was made, its date must not change: iMIS may have it.
        open_still = or_(old.state == State.WAITING, old.state == State.READY)
        untried = and_(open_still, old.attempts == 0)
        arrived = and_(new.delivered, old.delivered.is_not(True))
        told = ("status_sequence", "transaction_date", "because", "not_before")
        kept = {name: case((and_(first, untried), new[name]), else_=old[name]) for name in told}
        known = and_(untried, old.imis_id.is_not(None))
        return statement.on_conflict_do_update(
            index_elements=KEY,
            set_=kept
            | {
                "state": case((known, READY), else_=old.state),
                "delivered": or_(old.delivered, new.delivered),
                "not_before": case(
                    (and_(untried, old.not_before.is_(None)), new.not_before),
                    else_=kept["not_before"],
                ),
            },
            where=or_(
                and_(first, untried),
                and_(arrived, or_(untried, old.state == State.CLAIMED)),
            ),
        )

    def _with_refusal(self) -> Insert:
        statement = upsert(self._transaction.connection, EFFECTS)
        told = ("opted_out_at", "opted_out_because")
        return statement.on_conflict_do_update(
            index_elements=KEY,
            set_={name: statement.excluded[name] for name in told},
            where=EFFECTS.c.opted_out_at.is_(None),
        )
