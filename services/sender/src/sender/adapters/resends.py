"""Resending what a run missed: in one transaction, each row once (X-2)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update

from chassis.logs import get_logger
from chassis.store import Transaction
from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import MessageQueued
from contracts.events.run import HeldBy, RunResendRequested, RunResent
from sender.adapters.consents import opted_out
from sender.adapters.controls import SqlControls
from sender.adapters.entering import Entry, enter
from sender.adapters.holds import SqlHolds
from sender.adapters.serial import alone
from sender.adapters.tables import MESSAGES, RESENDS
from sender.domain.holds import Hold
from sender.domain.messages import MISSED, State
from sender.ports import Entered
from timing import quiet
from timing.quiet import Rules


class SqlResends:
    """Supersedes what was never accepted, within the transaction of a command."""

    def __init__(self, transaction: Transaction, rules: Rules | None = None) -> None:
        self._transaction = transaction
        self._rules = rules or quiet.standard()

    async def take(
        self, asked: Envelope[RunResendRequested], *, at: datetime
    ) -> list[Envelope[RunResent | Entered]]:
        """Start a run in place of what another one missed; nothing when it missed nothing.

        What is claimed, in doubt, unknown or waiting may still be sent, so it isn't missed.
        """
        command = asked.event
        await alone(self._transaction, command.organization_id)
        if await self._known(asked.id):
            return []
        rows = await self._missed(command)
        number = await self._count(command.run_id) + 1
        run = ids.resend_run_id(command.run_id, number) if rows else None
        await self._transaction.insert_new(
            RESENDS,
            [{"request": asked.id, "earlier_run_id": command.run_id, "run_id": run}],
        )
        if run is None:
            get_logger().info("A run to be resent missed nothing.", run_id=str(command.run_id))
            return []
        queued = [seal(_anew(row, run, at), because=asked.id) for row in rows]
        places = [row.place and self._rules.place(row.place) for row in rows]
        entries = [Entry(each, place) for each, place in zip(queued, places, strict=True)]
        entered = await enter(self._transaction, entries, rules=self._rules, at=at)
        night = Hold(
            command.organization_id,
            rows[0].from_number,
            run,
            rows[0].campaign_id,
            HeldBy.QUIET_HOURS,
        )
        await SqlHolds(self._transaction).tell([night], at=at)
        await SqlControls(self._transaction).go_on(
            command.organization_id, rows[0].campaign_id, at=command.occurred_at
        )
        await self._transaction.execute(
            update(MESSAGES)
            .where(MESSAGES.c.message_id == bindparam("old"))
            .values(superseded_by=bindparam("new")),
            [{"old": each.event.supersedes, "new": each.event.message_id} for each in queued],
        )
        first = rows[0]
        resent = RunResent(
            organization_id=command.organization_id,
            occurred_at=at,
            sequence=1,
            run_id=run,
            earlier_run_id=command.run_id,
            campaign_id=first.campaign_id,
            mode=Mode(first.mode),
            write_to=WriteTo(first.write_to),
            from_number=first.from_number,
            recipients=len(rows),
            segments=sum(row.segments for row in rows),
            by=command.by,
        )
        return [seal(resent, because=asked.id), *entered]

    async def _known(self, request: UUID) -> bool:
        query = select(RESENDS.c.request).where(RESENDS.c.request == request)
        return (await self._transaction.execute(query)).first() is not None

    async def _count(self, run: UUID) -> int:
        query = select(func.count(RESENDS.c.run_id)).where(RESENDS.c.earlier_run_id == run)
        return int((await self._transaction.execute(query)).scalar_one())

    async def _missed(self, command: RunResendRequested) -> list[Any]:
        query = (
            select(MESSAGES)
            .where(
                MESSAGES.c.organization_id == command.organization_id,
                MESSAGES.c.run_id == command.run_id,
                or_(MESSAGES.c.state == State.REFUSED, MESSAGES.c.state == State.EXCLUDED),
                MESSAGES.c.reason.in_(sorted(MISSED)),
                MESSAGES.c.superseded_by.is_(None),
                # Left where they are: after a START they may be resent.
                ~opted_out(
                    MESSAGES.c.organization_id, MESSAGES.c.from_number, MESSAGES.c.to_number
                ),
            )
            .order_by(MESSAGES.c.row)
            .with_for_update(of=MESSAGES)
        )
        return list((await self._transaction.execute(query)).all())


def _anew(row: Any, run: UUID, at: datetime) -> MessageQueued:
    recipient = ids.recipient_id(run, row.row)
    return MessageQueued(
        organization_id=row.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=run,
        campaign_id=row.campaign_id,
        message_id=ids.message_id(recipient),
        recipient_id=recipient,
        row=row.row,
        imis_id=row.imis_id,
        to=row.to_number,
        from_number=row.from_number,
        text=row.text,
        segments=row.segments,
        mode=Mode(row.mode),
        write_to=WriteTo(row.write_to),
        supersedes=row.message_id,
        log_subject=row.log_subject or "",
        urgent=bool(row.urgent),
    )
