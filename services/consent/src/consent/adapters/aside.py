"""What was told and can't be believed yet, and the settings that will tell."""

from collections.abc import Collection, Mapping
from typing import cast
from uuid import UUID

from sqlalchemy import delete, select, tuple_

from chassis.store import Transaction, upsert
from consent.adapters.tables import ASIDE, SETTINGS
from consent.ports import Telling
from contracts.envelope import decode
from contracts.events.organization import OrganizationSettingsChanged


class SqlOrganizations:
    """The newest settings, as this transaction sees them."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def of(self, ids: Collection[UUID]) -> Mapping[UUID, OrganizationSettingsChanged]:
        """Return those that are known."""
        table = SETTINGS.table
        query = select(table.c.event).where(table.c.subject.in_(ids))
        events = [
            OrganizationSettingsChanged.model_validate_json(row.event)
            for row in await self._transaction.execute(query)
        ]
        return {each.organization_id: each for each in events}


class SqlAside:
    """Tellings that wait for newer settings."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def put(self, tellings: Mapping[UUID, tuple[Telling, int]]) -> None:
        """Keep what was told, by its event's id, with the sequence of the settings that judged."""
        if not tellings:
            return
        statement = upsert(self._transaction.connection, ASIDE).on_conflict_do_nothing()
        rows = [
            {
                "event_id": event_id,
                "organization_id": telling.event.organization_id,
                "judged_by": judged_by,
                "type": telling.event.type,
                "event": telling.event.model_dump_json().encode(),
            }
            for event_id, (telling, judged_by) in sorted(tellings.items())
        ]
        await self._transaction.execute(statement, rows)

    async def take(self, *, limit: int) -> list[Telling]:
        """Take out what newer settings than those that judged it are known for."""
        settings = SETTINGS.table
        query = (
            select(ASIDE)
            .join(settings, settings.c.subject == ASIDE.c.organization_id)
            .where(settings.c.sequence > ASIDE.c.judged_by)
            .order_by(ASIDE.c.event_id, ASIDE.c.organization_id)
            .limit(limit)
            .with_for_update(of=ASIDE, skip_locked=True)
        )
        rows = (await self._transaction.execute(query)).all()
        if rows:
            keys = [(row.event_id, row.organization_id) for row in rows]
            await self._transaction.execute(
                delete(ASIDE).where(tuple_(ASIDE.c.event_id, ASIDE.c.organization_id).in_(keys))
            )
        return [
            cast(
                "Telling",
                decode(
                    [("ce_type", row.type.encode()), ("ce_id", str(row.event_id).encode())],
                    row.event,
                ),
            )
            for row in rows
        ]
