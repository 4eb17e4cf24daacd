"""Commands about runs and messages, and what is known of queries, in SQL."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import orjson
from sqlalchemy import select

from chassis.store import upsert
from contracts.events.message import Resolution
from gateway.adapters.executor import Executor, connection_of
from gateway.adapters.tables import DECISIONS, QUERIES, RUN_COMMANDS
from gateway.domain.records import Decision


class SqlCommands:
    """Commands about runs and messages."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def next_of_run(self, organization_id: UUID, run_id: UUID) -> int:
        """Return the number of the next command about a run."""
        statement = upsert(connection_of(self._executor), RUN_COMMANDS).values(
            run_id=run_id, organization_id=organization_id, sequence=1
        )
        counted = statement.on_conflict_do_update(
            index_elements=["run_id"],
            set_={"sequence": RUN_COMMANDS.c.sequence + 1},
            where=RUN_COMMANDS.c.organization_id == organization_id,
        ).returning(RUN_COMMANDS.c.sequence)
        return int((await self._executor.execute(counted)).scalar_one())

    async def decision(self, organization_id: UUID, message_id: UUID) -> Decision | None:
        """Return the newest decision about a message, held for this transaction."""
        query = (
            select(DECISIONS)
            .where(
                DECISIONS.c.organization_id == organization_id,
                DECISIONS.c.message_id == message_id,
            )
            .with_for_update()
        )
        row = (await self._executor.execute(query)).first()
        if row is None:
            return None
        return Decision(row.sequence, row.about, Resolution(row.resolution), row.sid)

    async def decide(self, organization_id: UUID, message_id: UUID, decision: Decision) -> bool:
        """Keep a decision; False when another one was faster."""
        news = {
            "sequence": decision.sequence,
            "about": decision.about,
            "resolution": decision.resolution.value,
            "sid": decision.sid,
        }
        statement = upsert(connection_of(self._executor), DECISIONS).values(
            message_id=message_id, organization_id=organization_id, **news
        )
        kept = statement.on_conflict_do_update(
            index_elements=["message_id"],
            set_=news,
            where=(DECISIONS.c.organization_id == organization_id)
            & (DECISIONS.c.sequence < decision.sequence),
        )
        return (await self._executor.execute(kept)).rowcount == 1


class SqlQueries:
    """What is known of organisations' queries."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def prompts(self, organization_id: UUID, path: str) -> tuple[str, ...]:
        """Return the prompts that a query has no default for; none when it was never read."""
        query = select(QUERIES.c.prompts).where(
            QUERIES.c.organization_id == organization_id, QUERIES.c.path_hash == _hash(path)
        )
        found = (await self._executor.execute(query)).scalar()
        return () if found is None else tuple(orjson.loads(found))

    async def keep(self, organization_id: UUID, path: str, prompts: Sequence[str]) -> None:
        """Keep what a query asks for."""
        kept = orjson.dumps(list(prompts))
        statement = upsert(connection_of(self._executor), QUERIES).values(
            organization_id=organization_id, path_hash=_hash(path), prompts=kept
        )
        await self._executor.execute(
            statement.on_conflict_do_update(
                index_elements=["organization_id", "path_hash"], set_={"prompts": kept}
            )
        )


def _hash(path: str) -> str:
    """Stand for a path of any length."""
    return hashlib.sha256(path.encode("utf-8", "replace")).hexdigest()
