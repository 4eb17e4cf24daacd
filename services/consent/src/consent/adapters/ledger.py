"""The consent ledger in SQL, within one transaction."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from chassis.instants import now
from chassis.store import Transaction, upsert
from consent.adapters.tables import DECISIONS, PAIRS
from consent.domain.pairs import Decision, Pair, Standing
from consent.ports import Fact
from contracts.events.consent import Consent, ConsentCause


class SqlLedger:
    """Decisions and standings."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def hold(self, pairs: Collection[Pair]) -> dict[UUID, Standing]:
        """Return where the pairs stand, and let nobody else change it before we commit."""
        ordered = sorted(pairs, key=lambda pair: pair.consent_id)
        await self._transaction.insert_new(
            PAIRS,
            [
                {
                    "consent_id": pair.consent_id,
                    "organization_id": pair.organization_id,
                    "number": pair.number,
                    "from_number": pair.from_number,
                    "consent": Consent.OPTED_IN,
                    "sequence": 0,
                }
                for pair in ordered
            ],
        )
        query = (
            select(PAIRS)
            .where(PAIRS.c.consent_id.in_([pair.consent_id for pair in ordered]))
            .order_by(PAIRS.c.consent_id)
            .with_for_update()
        )
        return {
            row.consent_id: Standing(_pair(row), Consent(row.consent), row.sequence)
            for row in await self._transaction.execute(query)
        }

    async def scopes(self, facts: Collection[Fact]) -> dict[Fact, set[UUID]]:
        """Return the pairs that the facts which are known already were taken to be about."""
        columns = DECISIONS.c
        query = select(columns.organization_id, columns.fact_id, columns.consent_id).where(
            columns.organization_id.in_({organization for organization, _ in facts}),
            columns.fact_id.in_({fact for _, fact in facts}),
        )
        found: dict[Fact, set[UUID]] = {}
        for row in await self._transaction.execute(query):
            found.setdefault((row.organization_id, row.fact_id), set()).add(row.consent_id)
        return found

    async def record(self, decisions: Sequence[Decision]) -> dict[UUID, Decision]:
        """Keep decisions, each once, and return the one that counts of each pair they are about."""
        if not decisions:
            return {}
        statement = upsert(self._transaction.connection, DECISIONS)
        statement = statement.on_conflict_do_update(
            index_elements=["consent_id", "fact_id"],
            set_={"at": statement.excluded.at},
            where=DECISIONS.c.at > statement.excluded.at,
        )
        moment = now()
        ordered = sorted(decisions, key=lambda each: (each.pair.consent_id, each.fact_id))
        await self._transaction.execute(statement, [_row(each, moment) for each in ordered])
        pairs = {each.pair.consent_id: each.pair for each in decisions}
        # The same order as the domain's rank; a long history costs one row.
        place = func.row_number().over(
            partition_by=DECISIONS.c.consent_id,
            order_by=(
                DECISIONS.c.at.desc(),
                (DECISIONS.c.consent == Consent.OPTED_OUT).desc(),
                DECISIONS.c.fact_id.desc(),
            ),
        )
        ranked = (
            select(DECISIONS, place.label("place"))
            .where(DECISIONS.c.consent_id.in_(pairs))
            .subquery()
        )
        rows = await self._transaction.execute(select(ranked).where(ranked.c.place == 1))
        return {row.consent_id: _decision(row, pairs[row.consent_id]) for row in rows}

    async def keep(self, standings: Sequence[Standing]) -> None:
        """Keep where pairs stand now."""
        if standings:
            await self._transaction.execute(
                update(PAIRS)
                .where(PAIRS.c.consent_id == bindparam("moved"))
                .values(consent=bindparam("stands"), sequence=bindparam("raised")),
                [
                    {
                        "moved": each.pair.consent_id,
                        "stands": each.consent,
                        "raised": each.sequence,
                    }
                    for each in standings
                ],
            )


def _row(decision: Decision, moment: object) -> dict[str, object]:
    return {
        "consent_id": decision.pair.consent_id,
        "fact_id": decision.fact_id,
        "organization_id": decision.pair.organization_id,
        "at": decision.at,
        "consent": decision.consent,
        "cause": decision.cause,
        "word": decision.word,
        "by": decision.by,
        "recorded_at": moment,
    }


def _pair(row: Any) -> Pair:
    return Pair(row.consent_id, row.organization_id, row.number, row.from_number)


def _decision(row: Any, pair: Pair) -> Decision:
    return Decision(
        pair,
        row.fact_id,
        row.at,
        Consent(row.consent),
        ConsentCause(row.cause),
        word=row.word,
        by=row.by,
    )
