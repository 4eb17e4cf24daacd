"""Telling once what keeps texts back (TM-15, X-4); holding what can't go on as it is (X-7)."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from chassis.store import Transaction
from contracts.events.run import HeldBy, RunHeld
from sender.adapters.controls import SqlControls
from sender.adapters.serial import alone
from sender.adapters.tables import CAMPAIGN_CONTROLS, MESSAGES, RUN_HOLDS
from sender.domain.controls import Control
from sender.domain.holds import COUNTED, Hold
from twilio_client.codes import CODES, Advice

Counts = dict[tuple[UUID, HeldBy], tuple[int, int, datetime | None]]
"""How many messages and segments of a run a cause keeps back, and when the first may leave."""


def is_permanent(code: int) -> bool:
    """Whether a refusal is about the account, the number or the content, not about one member."""
    known = CODES.get(code)
    return known is not None and not known.by_callback and known.advice is Advice.STOP_AND_ALERT


class SqlHolds:
    """Says what keeps a run's texts back, within the transaction that keeps them back."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def tell(self, holds: Sequence[Hold], *, at: datetime) -> None:
        """Tell of those that were not told yet and keep something back."""
        for run in sorted({each.run_id for each in holds}):
            # Two who count at once would tell two holds under one number.
            await alone(self._transaction, run)
        fresh, told = await self._fresh(holds)
        counts = await self._counts([each for each in fresh if each.counted is None])
        noted: list[dict[str, Any]] = []
        for hold in fresh:
            messages, segments, first = counts.get((hold.run_id, hold.held_by), (0, 0, None))
            if hold.counted is not None:
                messages, segments = hold.counted
            if not messages and not hold.told_anyway:
                continue
            told[hold.run_id] += 1
            noted.append(
                {
                    "run_id": hold.run_id,
                    "held_by": hold.held_by,
                    "mark": hold.mark,
                    "sequence": told[hold.run_id],
                }
            )
            self._transaction.publish(
                RunHeld(
                    organization_id=hold.organization_id,
                    occurred_at=at,
                    sequence=told[hold.run_id],
                    run_id=hold.run_id,
                    campaign_id=hold.campaign_id,
                    held_by=hold.held_by,
                    messages=messages,
                    segments=segments,
                    left_out=hold.left_out,
                    until=first if hold.held_by is HeldBy.QUIET_HOURS else hold.until,
                    error_code=hold.error_code,
                )
            )
        await self._transaction.insert_new(RUN_HOLDS, noted)

    async def hold_campaigns(self, refused: Collection[tuple[Any, int]], *, at: datetime) -> None:
        """Hold the campaigns of messages that were refused for what all others would meet too.

        A text that was claimed before the last resume says nothing of what was mended since. What
        belongs to no campaign has none to hold: the refusal itself says what is wrong.
        """
        first = {row.campaign_id: (row, code) for row, code in reversed(list(refused))}
        known = {
            row.campaign_id: row
            for row in await self._transaction.execute(
                select(CAMPAIGN_CONTROLS).where(CAMPAIGN_CONTROLS.c.campaign_id.in_(first))
            )
        }
        holds = []
        for campaign in sorted(first):
            row, code = first[campaign]
            if _matters(row, known.get(campaign)):
                holds.append(
                    Hold(
                        row.organization_id,
                        row.from_number,
                        row.run_id,
                        campaign,
                        HeldBy.CONFIGURATION,
                        mark=at.isoformat(),
                        error_code=code,
                        told_anyway=True,
                    )
                )
        await SqlControls(self._transaction).hold(
            {each.campaign_id: each.organization_id for each in holds}, at=at
        )
        await self.tell(holds, at=at)

    async def _fresh(self, holds: Sequence[Hold]) -> tuple[list[Hold], Counter[UUID]]:
        if not holds:
            return [], Counter()
        query = select(RUN_HOLDS).where(RUN_HOLDS.c.run_id.in_({each.run_id for each in holds}))
        rows = (await self._transaction.execute(query)).all()
        known = {(row.run_id, row.held_by, row.mark) for row in rows}
        fresh = [each for each in holds if (each.run_id, each.held_by, each.mark) not in known]
        return fresh, Counter(row.run_id for row in rows)

    async def _counts(self, holds: Sequence[Hold]) -> Counts:
        counts: Counts = {}
        for cause in {each.held_by for each in holds}:
            kept_back = or_(
                *(
                    and_(
                        MESSAGES.c.organization_id == each.organization_id,
                        MESSAGES.c.from_number == each.from_number,
                        MESSAGES.c.run_id == each.run_id,
                        MESSAGES.c.state.in_(COUNTED[cause]),
                        MESSAGES.c.row >= each.from_row,
                    )
                    for each in holds
                    if each.held_by is cause
                )
            )
            query = (
                select(
                    MESSAGES.c.run_id,
                    func.count(),
                    func.sum(MESSAGES.c.segments),
                    func.min(MESSAGES.c.window_until),
                )
                .where(kept_back)
                .group_by(MESSAGES.c.run_id)
            )
            rows: Sequence[Any] = (await self._transaction.execute(query)).all()
            for run, messages, segments, first in rows:
                counts[run, cause] = (messages, segments, first)
        return counts


def _matters(row: Any, control: Any) -> bool:
    if row.urgent:
        return False
    if control is None:
        return True
    if control.state == Control.CANCELLED:
        return False
    if control.resumed_at is not None and row.claimed_at <= control.resumed_at:
        return False
    return control.held_at is None or (
        control.resumed_at is not None and control.resumed_at > control.held_at
    )
