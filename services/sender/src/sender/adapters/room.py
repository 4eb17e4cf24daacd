"""What the limits leave to a lane, read in the claim's own transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, select

from chassis.store import Transaction
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from sender.adapters.tables import DAY_USAGE, RUN_USAGE, RUNS, SETTINGS
from sender.domain.limits import DayRoom, RunRoom, day_of
from sender.domain.messages import Lane


class Rooms:
    """Knows the newest settings of each organisation, and looks whether they still are."""

    def __init__(self) -> None:
        self._settings: dict[UUID, OrganizationSettingsChanged] = {}

    async def of(self, transaction: Transaction, lane: Lane, *, at: datetime) -> "Room | None":
        """Return what the limits leave; None while the organisation has no settings."""
        while True:
            known = self._settings.get(lane.organization_id)
            settings = known.settings if known is not None else None
            today = day_of(at, ZoneInfo(settings.time_zone if settings else "UTC"))
            rows = (await transaction.execute(_books(lane, today))).all()
            if not rows:
                return Room(today, {}, DayRoom(0, 0, holds=True), 0)
            if rows[0].sequence is None:
                return None
            if known is not None and settings is not None and rows[0].sequence == known.sequence:
                return Room.of(rows, settings, today)
            event = await transaction.execute(
                select(SETTINGS.table.c.event).where(
                    SETTINGS.table.c.subject == lane.organization_id
                )
            )
            self._settings[lane.organization_id] = OrganizationSettingsChanged.model_validate_json(
                event.scalar_one()
            )


class Room:
    """What the limits leave to a lane's runs on a day."""

    def __init__(self, today: str, runs: dict[UUID, RunRoom], day: DayRoom, run_limit: int) -> None:
        self.today = today
        self.runs = runs
        self.day = day
        self.run_limit = run_limit

    @classmethod
    def of(cls, rows: Sequence[Any], settings: OrganizationSettings, today: str) -> "Room":
        """Return the room that the books of a lane's runs leave."""
        limit = settings.segments_per_run
        runs = {
            row.run_id: RunRoom(
                limit - (row.used or 0),
                # A limit that was raised, or lowered, since then opens the question again.
                row.full_from if row.full_at == limit else None,
            )
            for row in rows
        }
        day = DayRoom(
            settings.segments_per_day - (rows[0].used_today or 0),
            settings.segments_per_day,
            holds=settings.over_day_limit == "hold",
        )
        return cls(today, runs, day, limit)


def _books(lane: Lane, today: str) -> Select[Any]:
    """Ask for a lane's runs, what each has used, what the day has, and how new the settings are."""
    settings = SETTINGS.table.c
    joined = (
        RUNS.outerjoin(RUN_USAGE, RUN_USAGE.c.run_id == RUNS.c.run_id)
        .outerjoin(
            DAY_USAGE,
            and_(DAY_USAGE.c.organization_id == RUNS.c.organization_id, DAY_USAGE.c.day == today),
        )
        .outerjoin(SETTINGS.table, settings.subject == RUNS.c.organization_id)
    )
    return (
        select(
            RUNS.c.run_id,
            RUN_USAGE.c.used,
            RUN_USAGE.c.full_from,
            RUN_USAGE.c.full_at,
            DAY_USAGE.c.used.label("used_today"),
            settings.sequence,
        )
        .select_from(joined)
        .where(
            RUNS.c.organization_id == lane.organization_id,
            RUNS.c.from_number == lane.from_number,
        )
        .order_by(RUNS.c.run_id)
    )
