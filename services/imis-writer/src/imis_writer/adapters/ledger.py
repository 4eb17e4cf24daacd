"""The ledger in SQL: claims and outcomes by the batch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, exists, or_, select, update

from chassis.logs import get_logger
from chassis.store import Store, Transaction
from contracts.events.campaign import Mode
from imis_writer.adapters.tables import EFFECTS, SETTINGS
from imis_writer.domain.doubts import Surroundings
from imis_writer.domain.effects import Change, Effect, State

_C = EFFECTS.c
_EFFECT = (
    _C.message_id,
    _C.effect_id,
    _C.organization_id,
    _C.run_id,
    _C.campaign_id,
    _C.imis_id,
    _C.to_number,
    _C.text,
    _C.mode,
    _C.transaction_date,
    _C.because,
    _C.sequence,
    _C.attempts,
    _C.looks,
)
_UNSETTLED = (State.CLAIMED, State.IN_DOUBT)
_RECORD = (
    update(EFFECTS)
    .where(_C.message_id == bindparam("key"))
    .values(
        state=bindparam("new_state"),
        not_before=bindparam("new_not_before"),
        looks=bindparam("new_looks"),
        seqn=bindparam("new_seqn"),
        sequence=bindparam("new_sequence"),
        text=bindparam("new_text"),
        lease_until=None,
    )
)


class SqlLedger:
    """One process's view of the ledger."""

    def __init__(self, store: Store, *, instance: str, process: UUID) -> None:
        self._store = store
        self._instance = instance
        self._process = process

    async def recover(self, *, at: datetime, look_at: datetime) -> int:
        """Put the claims of dead processes in doubt, to be looked at then; returns how many."""
        ours = and_(_C.claimed_by == self._instance, _C.process != self._process)
        dead = and_(_C.lease_until.is_not(None), or_(_C.lease_until < at, ours))
        async with self._store.read() as connection:
            if await connection.scalar(select(_C.message_id).where(dead).limit(1)) is None:
                return 0
        doubt = (
            update(EFFECTS)
            .where(dead)
            .values(state=State.IN_DOUBT, looks=0, not_before=look_at, lease_until=None)
        )
        async with self._store.transaction() as transaction:
            return (await transaction.execute(doubt)).rowcount

    async def organizations(self, *, at: datetime) -> list[UUID]:
        """Return the organisations with something to do now."""
        organization_id = SETTINGS.table.c.subject
        due = exists().where(
            _C.organization_id == organization_id,
            _C.state.in_([State.READY, State.IN_DOUBT]),
            _C.not_before <= at,
        )
        async with self._store.read() as connection:
            return list((await connection.scalars(select(organization_id).where(due))).all())

    async def claim(
        self, organization_id: UUID, *, at: datetime, lease_until: datetime, limit: int
    ) -> list[Effect]:
        """Claim what is ready for this process; it is committed on return."""
        due = _due(State.READY, organization_id, at=at, limit=limit)
        async with self._store.read() as connection:
            if await connection.scalar(due.limit(1)) is None:
                return []
        claim = (
            update(EFFECTS)
            .where(_C.message_id.in_(due.with_for_update(skip_locked=True)))
            .values(
                state=State.CLAIMED,
                claimed_by=self._instance,
                process=self._process,
                lease_until=lease_until,
                not_before=None,
                attempts=_C.attempts + 1,
                looks=0,
            )
            .returning(*_EFFECT)
        )
        async with self._store.transaction() as transaction:
            return [_effect(row) for row in (await transaction.execute(claim)).all()]

    async def doubts(self, organization_id: UUID, *, at: datetime, limit: int) -> list[Effect]:
        """Return the effects in doubt that may be looked for now."""
        due = _due(State.IN_DOUBT, organization_id, at=at, limit=limit)
        async with self._store.read() as connection:
            found = await connection.execute(due.with_only_columns(*_EFFECT))
            return [_effect(row) for row in found.all()]

    async def around(self, organization_id: UUID, imis_ids: Sequence[str]) -> Surroundings:
        """Return what is known about these members' activities."""
        theirs = and_(_C.organization_id == organization_id, _C.imis_id.in_(imis_ids))
        unsettled = _C.state.in_([*_UNSETTLED, State.UNKNOWN])
        async with self._store.read() as connection:
            taken = await connection.scalars(select(_C.seqn).where(theirs, _C.seqn.is_not(None)))
            rivals = await connection.execute(select(*_EFFECT).where(theirs, unsettled))
            return Surroundings(frozenset(taken.all()), [_effect(row) for row in rivals.all()])

    async def record(self, changes: Sequence[Change]) -> None:
        """Keep what became of effects, each unless somebody else decided meanwhile."""
        if not changes:
            return
        async with self._store.transaction() as transaction:
            held = await _held(transaction, changes)
            kept = [each for each in changes if _is_due(each, held.get(each.effect.message_id))]
            if kept:
                await transaction.execute(_RECORD, [_row(each) for each in kept])
            for each in kept:
                if each.event is not None:
                    transaction.publish(each.event, because=each.effect.because)
        settled = {each.effect.message_id for each in kept}
        for each in changes:
            if each.state is State.WRITTEN and each.effect.message_id not in settled:
                get_logger().error(
                    "An activity may have been written twice.",
                    effect_id=str(each.effect.effect_id),
                )


def _due(state: State, organization_id: UUID, *, at: datetime, limit: int) -> Any:
    return (
        select(_C.message_id)
        .where(_C.organization_id == organization_id, _C.state == state, _C.not_before <= at)
        .order_by(_C.not_before)
        .limit(limit)
    )


async def _held(transaction: Transaction, changes: Sequence[Change]) -> dict[UUID, Row[Any]]:
    """Read the rows as they are now, and keep them for this transaction."""
    query = (
        select(_C.message_id, _C.state, _C.attempts, _C.looks)
        .where(_C.message_id.in_([each.effect.message_id for each in changes]))
        .order_by(_C.message_id)
        .with_for_update()
    )
    return {row.message_id: row for row in (await transaction.execute(query)).all()}


def _is_due(change: Change, held: "Row[Any] | None") -> bool:
    """Whether the change still says something about the row."""
    if held is None or held.state not in _UNSETTLED or held.attempts != change.effect.attempts:
        return False
    return change.state is State.WRITTEN or held.looks == change.effect.looks


def _row(change: Change) -> dict[str, Any]:
    written = change.state is State.WRITTEN
    return {
        "key": change.effect.message_id,
        "new_state": change.state,
        "new_not_before": change.not_before,
        "new_looks": change.looks,
        "new_seqn": change.seqn,
        "new_sequence": change.effect.sequence + (change.event is not None),
        # iMIS has the text now; here it is of no more use.
        "new_text": "" if written else change.effect.text,
    }


def _effect(row: Any) -> Effect:
    return Effect(
        message_id=row.message_id,
        effect_id=row.effect_id,
        organization_id=row.organization_id,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        imis_id=row.imis_id,
        to=row.to_number,
        text=row.text,
        mode=Mode(row.mode),
        transaction_date=row.transaction_date,
        because=row.because,
        sequence=row.sequence,
        attempts=row.attempts,
        looks=row.looks,
    )
