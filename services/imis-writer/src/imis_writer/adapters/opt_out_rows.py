"""The rows behind the opt-outs: what was told of pairs of numbers, and the effects about them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select, tuple_, update

from chassis.store import Transaction, upsert
from contracts.envelope import Envelope
from contracts.events.campaign import Mode
from contracts.events.consent import ConsentChanged
from imis_writer.adapters.rows import EFFECT_COLUMNS, effect_of, is_keyed
from imis_writer.adapters.tables import EFFECTS, PAIRS
from imis_writer.domain import telling
from imis_writer.domain.effects import About, Effect, Kind, State
from imis_writer.domain.opt_outs import OVER, Attempt, Known, Noted, Pair, Standing

_C = EFFECTS.c
_PAIR = (PAIRS.c.organization_id, PAIRS.c.number, PAIRS.c.from_number)
_NUMBER = tuple_(_C.organization_id, _C.to_number)
_MARK = update(EFFECTS).where(is_keyed()).values(undo=bindparam("new_undo"))
_MOVE = _MARK.values(
    state=bindparam("new_state"),
    not_before=bindparam("new_not_before"),
    refusals=bindparam("new_refusals"),
    sequence=bindparam("new_sequence"),
    seqn=bindparam("new_seqn"),
)


class OptOutRows:
    """Reads and writes within one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def standings(self, pairs: Collection[Pair]) -> dict[Pair, Standing]:
        """Return what was told of pairs, and keep others from them until this commits."""
        wanted = sorted(pairs)
        blank = [_standing_row(pair, Standing()) for pair in wanted]
        await self._transaction.insert_new(PAIRS, blank)
        query = select(PAIRS).where(tuple_(*_PAIR).in_(wanted)).order_by(*_PAIR).with_for_update()
        return {
            Pair(row.organization_id, row.number, row.from_number): Standing(
                row.sequence, row.opted_in, row.subscribed_at, row.changed_at
            )
            for row in (await self._transaction.execute(query)).all()
        }

    async def keep(self, standings: Mapping[Pair, Standing]) -> None:
        """Keep what was told of pairs."""
        statement = upsert(self._transaction.connection, PAIRS)
        told = ("sequence", "opted_in", "subscribed_at", "changed_at")
        newest = statement.on_conflict_do_update(
            index_elements=[each.name for each in _PAIR],
            set_={name: statement.excluded[name] for name in told},
        )
        rows = [_standing_row(pair, standings[pair]) for pair in sorted(standings)]
        await self._transaction.execute(newest, rows)

    async def noted(self, numbers: Collection[Pair]) -> list[Noted]:
        """Return the opt-outs of numbers, and keep others from them until this commits."""
        if not numbers:
            return []
        query = (
            select(*EFFECT_COLUMNS, _C.from_number, _C.state, _C.undo)
            .where(_NUMBER.in_([pair[:2] for pair in sorted(numbers)]), _C.about == About.OPT_OUT)
            .order_by(_C.message_id)
            .with_for_update()
        )
        return [
            Noted(effect_of(row), row.from_number, State(row.state), row.undo)
            for row in (await self._transaction.execute(query)).all()
        ]

    async def known(self, numbers: Collection[Pair]) -> dict[Pair, list[Known]]:
        """Return the members whom we texted at numbers; the newest text comes last."""
        if not numbers:
            return {}
        query = (
            select(
                _C.organization_id,
                _C.to_number,
                _C.imis_id,
                _C.message_id,
                _C.run_id,
                _C.campaign_id,
                _C.from_number,
            )
            .where(
                _NUMBER.in_([pair[:2] for pair in sorted(numbers)]),
                _C.about == About.TEXT,
                _C.kind.is_not(None),
            )
            .order_by(_C.transaction_date.nulls_first(), _C.message_id)
        )
        found: dict[Pair, list[Known]] = defaultdict(list)
        for row in (await self._transaction.execute(query)).all():
            known = Known(
                row.imis_id, row.message_id, row.run_id, row.campaign_id, row.to_number,
                row.from_number,
            )  # fmt: skip
            found[Pair(row.organization_id, row.to_number, "")].append(known)
        return found

    async def add(self, attempts: Sequence[tuple[Attempt, State]]) -> None:
        """Note attempts that are not noted yet."""
        rows = [_row(each, state) for each, state in attempts]
        rows.sort(key=lambda row: row["message_id"].bytes)
        await self._transaction.insert_new(EFFECTS, rows)

    async def add_at_stop(
        self, members: Sequence[Known], told: Envelope[ConsentChanged]
    ) -> list[Noted]:
        """Note a STOP for members, under their newest texts."""
        attempts = [_at_stop(each, told) for each in members]
        if not attempts:
            return []
        statement = upsert(self._transaction.connection, EFFECTS)
        new = statement.excluded
        again = ("state", "transaction_date", "because", "not_before", "seqn", "undo", "refusals")
        rows = [_row(each, State.READY) for each in attempts]
        rows.sort(key=lambda row: row["message_id"].bytes)
        await self._transaction.execute(
            statement.on_conflict_do_update(
                index_elements=["message_id", "about"],
                set_={name: new[name] for name in again},
                where=or_(*(_C.state == each for each in OVER)),
            ),
            rows,
        )
        return [Noted(_effect(each), each.from_number, State.READY) for each in attempts]

    async def amend(
        self, before: Sequence[Noted], after: Sequence[Noted], told: Envelope[ConsentChanged]
    ) -> None:
        """Keep what a consent made of opt-outs."""
        at = told.event.occurred_at
        marked, moved = [], []
        for old, new in zip(before, after, strict=True):
            key = {
                "key_message": new.effect.message_id,
                "key_about": new.effect.about,
                "new_undo": new.undo,
            }
            if new.state is old.state:
                if new != old:
                    marked.append(key)
                continue
            given_up = old.state is State.REFUSED and new.state is State.MOOT
            if given_up:
                # It was listed as refused; nobody has to see to it any more.
                self._transaction.publish(telling.deleted(old.effect, at=at), because=told.id)
            moved.append(
                key
                | {
                    "new_state": new.state,
                    "new_not_before": at if new.state is State.READY else None,
                    "new_refusals": new.effect.refusals,
                    "new_sequence": new.effect.sequence + given_up,
                    "new_seqn": new.effect.seqn,
                }
            )
        for statement, rows in ((_MARK, marked), (_MOVE, moved)):
            if rows:
                await self._transaction.execute(statement, rows)


def _standing_row(pair: Pair, standing: Standing) -> dict[str, Any]:
    return {
        "organization_id": pair.organization_id,
        "number": pair.number,
        "from_number": pair.from_number,
        "sequence": standing.sequence,
        "opted_in": standing.opted_in,
        "subscribed_at": standing.subscribed_at,
        "changed_at": standing.changed_at,
    }


def _row(attempt: Attempt, state: State) -> dict[str, Any]:
    return {
        "message_id": attempt.message_id,
        "about": About.OPT_OUT,
        "kind": Kind.TEXTUNSUB,
        "organization_id": attempt.organization_id,
        "run_id": attempt.run_id,
        "campaign_id": attempt.campaign_id,
        "state": state,
        "imis_id": attempt.imis_id,
        "to_number": attempt.to,
        "from_number": attempt.from_number,
        "mode": Mode.LIVE,
        "transaction_date": attempt.at,
        "because": attempt.because,
        "not_before": attempt.at if state is State.READY else None,
        "seqn": None,
        "undo": False,
        "refusals": 0,
    }


def _effect(attempt: Attempt) -> Effect:
    return Effect(
        message_id=attempt.message_id,
        about=About.OPT_OUT,
        kind=Kind.TEXTUNSUB,
        organization_id=attempt.organization_id,
        run_id=attempt.run_id,
        campaign_id=attempt.campaign_id,
        imis_id=attempt.imis_id,
        to=attempt.to,
        text="",
        subject="",
        mode=Mode.LIVE,
        transaction_date=attempt.at,
        because=attempt.because,
    )


def _at_stop(known: Known, told: Envelope[ConsentChanged]) -> Attempt:
    return Attempt(
        message_id=known.message_id,
        organization_id=told.event.organization_id,
        run_id=known.run_id,
        campaign_id=known.campaign_id,
        imis_id=known.imis_id,
        to=told.event.number,
        from_number=known.from_number,
        at=told.event.occurred_at,
        because=told.id,
        refused=False,
    )
