"""What is to be told, and what is counted for it, within one transaction."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, literal, update

from chassis.instants import Instant
from chassis.store import Transaction
from notifier.adapters.tables import MAILS, REFUSALS
from notifier.domain.notices import Notice
from notifier.ports import State

_C = MAILS.c


class SqlNotices:
    """The mails that a transaction notes."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def note(
        self, notices: Sequence[Notice], *, not_before: datetime, latest: datetime | None = None
    ) -> None:
        """Have these told, unless they are noted already; `latest` bounds how far they move."""
        rows = [
            row_of(each, state=State.WAITING, not_before=not_before, latest=latest)
            for each in notices
        ]
        await self._transaction.insert_new(MAILS, _in_order(rows))

    async def put_off(self, mail_ids: Collection[UUID], *, until: datetime) -> None:
        """Let those that still wait do so until then, but not past their `latest`."""
        moved = case((_C.latest < until, _C.latest), else_=literal(until, Instant()))
        await self._move(mail_ids, State.WAITING, _C.not_before < until, not_before=moved)

    async def bring_forward(self, mail_ids: Collection[UUID], *, to: datetime) -> None:
        """Let those that still wait be looked at then, if that is sooner."""
        await self._move(mail_ids, State.WAITING, _C.not_before > to, not_before=to)
        # What is in hand just now may not have seen what was just said.
        await self._move(mail_ids, State.CLAIMED, latest=to)

    async def drop(self, notices: Sequence[Notice]) -> None:
        """Never tell these, unless they have been told."""
        dropped = [row_of(each, state=State.DROPPED) for each in notices]
        await self._transaction.insert_new(MAILS, _in_order(dropped))
        mail_ids = {each.mail_id for each in notices}
        await self._move(mail_ids, State.WAITING, state=State.DROPPED, not_before=None)

    async def _move(
        self, mail_ids: Collection[UUID], now_in: State, *where: Any, **values: Any
    ) -> None:
        if mail_ids:
            theirs = _C.mail_id.in_(sorted(mail_ids)), _C.state == now_in
            await self._transaction.execute(update(MAILS).where(*theirs, *where).values(**values))


class SqlRefusals:
    """The activities that iMIS doesn't have."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def count(self, refused: Mapping[UUID, tuple[UUID, str]]) -> None:
        """Count each effect once, with its run and the reason."""
        rows = [
            {"effect_id": effect_id, "run_id": run_id, "reason": reason}
            for effect_id, (run_id, reason) in sorted(refused.items())
        ]
        await self._transaction.insert_new(REFUSALS, rows)


def row_of(
    notice: Notice,
    *,
    state: State,
    not_before: datetime | None = None,
    latest: datetime | None = None,
    passed_at: datetime | None = None,
) -> dict[str, Any]:
    """Return a notice as a row that nobody has taken in hand."""
    return {
        "mail_id": notice.mail_id,
        "organization_id": notice.organization_id,
        "campaign_id": notice.campaign_id,
        "run_id": notice.run_id,
        "kind": notice.kind.value,
        "facts": json.dumps(dict(notice.facts), sort_keys=True),
        "occurred_at": notice.occurred_at,
        "state": state.value,
        "not_before": not_before,
        "latest": latest,
        "attempts": 0,
        "failures": 0,
        "passed_at": passed_at,
        "settled": "[]",
    }


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort rows as every process does, so that none waits for another's crosswise."""
    return sorted(rows, key=lambda row: row["mail_id"].bytes)
