"""The ledger in SQL: claims and outcomes by the batch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, exists, or_, select, tuple_, update

from chassis.logs import get_logger
from chassis.store import Store, Transaction, upsert
from contracts.events.activity import ActivitiesHeld, ActivityWritten
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.adapters.rows import EFFECT_COLUMNS, effect_of, is_keyed
from imis_writer.adapters.tables import EFFECTS, HOLDS, SETTINGS
from imis_writer.domain.doubts import Surroundings
from imis_writer.domain.effects import About, Effect, Key, State
from imis_writer.domain.outcomes import Change, overtaken

_C = EFFECTS.c
_UNSETTLED = (State.CLAIMED, State.IN_DOUBT)
_KEPT = ("state", "not_before", "attempts", "refusals", "looks", "seqn", "log_id")
_RECORD = (
    update(EFFECTS)
    .where(is_keyed())
    .values({name: bindparam(f"new_{name}") for name in (*_KEPT, "sequence", "text")})
    # What is in doubt may still have to be undone.
    .values(lease_until=None, undo=and_(_C.undo, bindparam("still_open")))
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
        query = select(organization_id).where(due, ~_is_held(organization_id))
        async with self._store.read() as connection:
            return list((await connection.scalars(query)).all())

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
            .where(tuple_(_C.message_id, _C.about).in_(due.with_for_update(skip_locked=True)))
            .values(
                state=State.CLAIMED,
                claimed_by=self._instance,
                process=self._process,
                lease_until=lease_until,
                not_before=None,
                attempts=_C.attempts + 1,
                looks=0,
            )
            .returning(*EFFECT_COLUMNS)
        )
        async with self._store.transaction() as transaction:
            return [effect_of(row) for row in (await transaction.execute(claim)).all()]

    async def doubts(self, organization_id: UUID, *, at: datetime, limit: int) -> list[Effect]:
        """Return the effects in doubt that may be looked for now."""
        due = _due(State.IN_DOUBT, organization_id, at=at, limit=limit)
        async with self._store.read() as connection:
            found = await connection.execute(due.with_only_columns(*EFFECT_COLUMNS))
            return [effect_of(row) for row in found.all()]

    async def around(self, organization_id: UUID, imis_ids: Sequence[str]) -> Surroundings:
        """Return what is known about these members' activities."""
        theirs = and_(_C.organization_id == organization_id, _C.imis_id.in_(imis_ids))
        unsettled = _C.state.in_([*_UNSETTLED, State.UNKNOWN])
        async with self._store.read() as connection:
            taken = await connection.scalars(select(_C.seqn).where(theirs, _C.seqn.is_not(None)))
            rivals = await connection.execute(select(*EFFECT_COLUMNS).where(theirs, unsettled))
            return Surroundings(frozenset(taken.all()), [effect_of(row) for row in rivals.all()])

    async def record(self, changes: Sequence[Change]) -> None:
        """Keep what became of effects, each unless somebody else decided meanwhile."""
        if not changes:
            return
        async with self._store.transaction() as transaction:
            held = await _held(transaction, changes)
            kept = [
                overtaken(each, undo=row.undo, delivered=row.delivered)
                for each in changes
                if (row := held.get(each.effect.key)) is not None and _is_due(each, row)
            ]
            if kept:
                await transaction.execute(_RECORD, [_row(each) for each in kept])
            for each in kept:
                if each.event is not None:
                    transaction.publish(each.event, because=each.effect.because)
        settled = {each.effect.key for each in kept}
        for each in changes:
            if isinstance(each.event, ActivityWritten) and each.effect.key not in settled:
                get_logger().error(
                    "An activity may have been written twice.",
                    effect_id=str(each.effect.effect_id),
                )

    async def hold(
        self, organization: OrganizationSettingsChanged, reason: str, *, at: datetime
    ) -> None:
        """Leave iMIS alone until the account is saved anew; it is told once."""
        event = ActivitiesHeld(
            organization_id=organization.organization_id,
            occurred_at=at,
            sequence=organization.sequence,
            settings_sequence=organization.account_sequence,
            reason=reason,
        )
        async with self._store.transaction() as transaction:
            statement = upsert(transaction.connection, HOLDS).values(
                organization_id=event.organization_id, settings_sequence=event.settings_sequence
            )
            newest = statement.on_conflict_do_update(
                index_elements=["organization_id"],
                set_={"settings_sequence": event.settings_sequence},
                where=HOLDS.c.settings_sequence < event.settings_sequence,
            ).returning(HOLDS.c.organization_id)
            if (await transaction.execute(newest)).all():
                transaction.publish(event)

    async def held(self, organization: OrganizationSettingsChanged) -> bool:
        """Whether iMIS refused the account that these settings hold."""
        query = select(HOLDS.c.organization_id).where(
            HOLDS.c.organization_id == organization.organization_id,
            HOLDS.c.settings_sequence >= organization.account_sequence,
        )
        async with self._store.read() as connection:
            return await connection.scalar(query) is not None


def _is_held(organization_id: Any) -> Any:
    return exists().where(
        HOLDS.c.organization_id == organization_id,
        HOLDS.c.settings_sequence >= SETTINGS.table.c.account_sequence,
    )


def _due(state: State, organization_id: UUID, *, at: datetime, limit: int) -> Any:
    return (
        select(_C.message_id, _C.about)
        .where(_C.organization_id == organization_id, _C.state == state, _C.not_before <= at)
        .order_by(_C.not_before)
        .limit(limit)
    )


async def _held(transaction: Transaction, changes: Sequence[Change]) -> dict[Key, Row[Any]]:
    """Read the rows as they are now, and keep them for this transaction."""
    query = (
        select(_C.message_id, _C.about, _C.state, _C.attempts, _C.looks, _C.undo, _C.delivered)
        .where(_C.message_id.in_([each.effect.message_id for each in changes]))
        .order_by(_C.message_id, _C.about)
        .with_for_update()
    )
    rows = (await transaction.execute(query)).all()
    return {Key(row.message_id, About(row.about)): row for row in rows}


def _is_due(change: Change, held: "Row[Any]") -> bool:
    """Whether the change still says something about the row."""
    if held.state not in _UNSETTLED or held.attempts != change.effect.attempts:
        return False
    return change.certain or held.looks == change.effect.looks


def _row(change: Change) -> dict[str, Any]:
    effect = change.after
    return {
        "key_message": effect.message_id,
        "key_about": effect.about,
        "new_state": change.state,
        "still_open": change.state is State.IN_DOUBT,
        "new_not_before": change.not_before,
        "new_attempts": effect.attempts,
        "new_refusals": effect.refusals,
        "new_looks": effect.looks,
        "new_seqn": effect.seqn,
        "new_log_id": effect.log_id,
        "new_sequence": effect.sequence + (change.event is not None),
        # iMIS has the text now; here it is of no more use.
        "new_text": "" if change.state is State.WRITTEN else effect.text,
    }
