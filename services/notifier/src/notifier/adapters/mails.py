"""The mails: which wait, which are in hand, and what became of them."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, case, or_, select, tuple_, update

from chassis.instants import Instant
from chassis.store import Store, Transaction
from notifier.adapters.notices import row_of
from notifier.adapters.tables import MAILS
from notifier.domain.notices import Kind, Notice
from notifier.domain.rationing import HOUR, Lane, Ration, ration
from notifier.ports import Job, Result, State

_C = MAILS.c
_LOOK = 200
"""How many mails are looked at to see which of them may leave."""
_UNTIL = bindparam("new_not_before", type_=Instant())
_HELD = (_C.mail_id == bindparam("key"), _C.attempts == bindparam("attempt"))
_RECORD = (
    update(MAILS)
    # Somebody else may have taken up what took too long here.
    .where(*_HELD, _C.state == State.CLAIMED)
    .values(
        state=bindparam("new_state"),
        not_before=case((_C.latest < _UNTIL, _C.latest), else_=_UNTIL),
        failures=bindparam("new_failures"),
        settled=bindparam("new_settled"),
        lease_until=None,
    )
)
_PUT_OFF = update(MAILS).where(_C.mail_id == bindparam("key")).values(not_before=bindparam("until"))
_TOGETHER = (
    update(MAILS)
    .where(_C.mail_id == bindparam("key"))
    .values(state=State.TOGETHER, told_in=bindparam("mail"), not_before=None)
)


class SqlMails:
    """One process's view of the mails."""

    def __init__(self, store: Store, *, instance: str, process: UUID, alerts_an_hour: int) -> None:
        self._store = store
        self._instance = instance
        self._process = process
        self._alerts_an_hour = alerts_an_hour

    async def recover(self, *, at: datetime) -> int:
        """Let the mails of dead processes wait again, under their Message-IDs; returns how many."""
        ours = and_(_C.claimed_by == self._instance, _C.process != self._process)
        dead = and_(_C.lease_until.is_not(None), or_(_C.lease_until < at, ours))
        async with self._store.read() as connection:
            if await connection.scalar(select(_C.mail_id).where(dead).limit(1)) is None:
                return 0
        again = update(MAILS).where(dead)
        again = again.values(state=State.WAITING, not_before=at, lease_until=None)
        async with self._store.transaction() as transaction:
            return (await transaction.execute(again)).rowcount

    async def claim(self, *, at: datetime, lease_until: datetime, limit: int) -> list[Job]:
        """Take mails whose time has come in hand; it is committed on return."""
        due = select(MAILS).where(_C.state == State.WAITING, _C.not_before <= at)
        async with self._store.read() as connection:
            if (await connection.execute(due.limit(1))).first() is None:
                return []
        due = due.order_by(_C.not_before, _C.mail_id).limit(_LOOK)
        async with self._store.transaction() as transaction:
            found = (await transaction.execute(due.with_for_update(skip_locked=True))).all()
            passed = [row.mail_id for row in found if row.passed_at is not None]
            fresh = [_notice(row) for row in found if row.passed_at is None]
            passed += await self._let_through(transaction, fresh, at=at)
            claim = (
                update(MAILS)
                .where(_C.mail_id.in_(passed[:limit]))
                .values(
                    state=State.CLAIMED,
                    claimed_by=self._instance,
                    process=self._process,
                    lease_until=lease_until,
                    not_before=None,
                    latest=None,
                    attempts=_C.attempts + 1,
                )
                .returning(MAILS)
            )
            claimed = (await transaction.execute(claim)).all()
            return await _jobs(transaction, claimed)

    async def record(self, results: Sequence[Result], *, at: datetime) -> None:
        """Keep what became of mails."""
        if not results:
            return
        changes = [
            {
                "key": each.job.notice.mail_id,
                "attempt": each.job.attempts,
                "new_state": each.state.value,
                "new_not_before": each.not_before,
                "new_failures": each.failures,
                # Of a mail that is done with, nobody needs to know the addresses any more.
                "new_settled": json.dumps(
                    sorted(each.settled) if each.state is State.WAITING else []
                ),
            }
            for each in results
        ]
        following = [
            row_of(each.follows, state=State.WAITING, not_before=each.follows_not_before or at)
            for each in results
            if each.follows is not None
        ]
        async with self._store.transaction() as transaction:
            await transaction.execute(_RECORD, changes)
            await transaction.insert_new(MAILS, following)

    async def _let_through(
        self, transaction: Transaction, fresh: list[Notice], *, at: datetime
    ) -> list[UUID]:
        """Decide on mails whose time has come for the first time; returns those that leave."""
        if not fresh:
            return []
        made = ration(
            fresh,
            await _lately(transaction, fresh, since=at - HOUR),
            at=at,
            alerts_an_hour=self._alerts_an_hour,
        )
        await _keep(transaction, made, at=at)
        return [each.mail_id for each in made.each] + list(made.together)


async def _lately(
    transaction: Transaction, fresh: list[Notice], *, since: datetime
) -> dict[Lane, list[datetime]]:
    """Return when mails of these organisations and kinds were let through."""
    lanes = sorted({(each.organization_id, each.kind.value) for each in fresh})
    query = select(_C.organization_id, _C.kind, _C.passed_at).where(
        _C.passed_at > since, tuple_(_C.organization_id, _C.kind).in_(lanes)
    )
    past: dict[Lane, list[datetime]] = defaultdict(list)
    for row in await transaction.execute(query):
        past[row.organization_id, Kind(row.kind)].append(row.passed_at)
    return past


async def _keep(transaction: Transaction, made: Ration, *, at: datetime) -> None:
    if made.each:
        passes = [each.mail_id for each in made.each]
        await transaction.execute(update(MAILS).where(_C.mail_id.in_(passes)).values(passed_at=at))
    if made.later:
        later = [{"key": key, "until": until} for key, until in sorted(made.later.items())]
        await transaction.execute(_PUT_OFF, later)
    if made.together:
        whole = [
            row_of(_standing_for(mail, notices), state=State.WAITING, not_before=at, passed_at=at)
            for mail, notices in made.together.items()
        ]
        await transaction.insert_new(MAILS, whole)
        parts = [
            {"key": each.mail_id, "mail": mail}
            for mail, notices in made.together.items()
            for each in notices
        ]
        await transaction.execute(_TOGETHER, parts)


def _standing_for(mail: UUID, notices: Sequence[Notice]) -> Notice:
    """Return what several notices are told in; it is as old as the newest of them."""
    newest = max(notices, key=lambda each: each.occurred_at)
    return Notice(mail, newest.kind, newest.organization_id, newest.occurred_at)


async def _jobs(transaction: Transaction, claimed: Sequence["Row[Any]"]) -> list[Job]:
    parts: dict[UUID, list[Notice]] = defaultdict(list)
    if claimed:
        query = select(MAILS).where(_C.told_in.in_([row.mail_id for row in claimed]))
        for row in await transaction.execute(query.order_by(_C.occurred_at, _C.mail_id)):
            parts[row.told_in].append(_notice(row))
    return [
        Job(
            _notice(row),
            row.attempts,
            row.failures,
            frozenset(json.loads(row.settled)),
            tuple(parts.get(row.mail_id, ())),
        )
        for row in claimed
    ]


def _notice(row: "Row[Any]") -> Notice:
    return Notice(
        row.mail_id,
        Kind(row.kind),
        row.organization_id,
        row.occurred_at,
        row.campaign_id,
        row.run_id,
        json.loads(row.facts),
    )
