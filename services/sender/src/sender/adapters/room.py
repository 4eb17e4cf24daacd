"""What limits and stops leave to a lane, read in the claim's own transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, String, Uuid, and_, bindparam, func, select

from chassis.store import Transaction
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from sender.adapters.controls import held
from sender.adapters.tables import (
    CAMPAIGN_CONTROLS,
    CANCELLED_RUNS,
    DAY_USAGE,
    RUN_USAGE,
    RUNS,
    SETTINGS,
)
from sender.domain.controls import EVERYTHING, UNHEARD, Control, Stops, stopped
from sender.domain.limits import UNLIMITED, DayRoom, RunRoom, day_after, day_of
from sender.domain.messages import Lane


class Rooms:
    """Knows the newest settings of each organisation, and looks whether they still are."""

    def __init__(self) -> None:
        self._settings: dict[UUID, OrganizationSettingsChanged] = {}

    async def of(
        self, transaction: Transaction, lane: Lane, *, at: datetime, stops: Stops
    ) -> "Room | None":
        """Return what is left; None while nothing of the organisation may leave."""
        while True:
            known = self._settings.get(lane.organization_id)
            zone = ZoneInfo(known.settings.time_zone if known is not None else "UTC")
            given = {
                "tenant": lane.organization_id,
                "number": lane.from_number,
                "today": day_of(at, zone),
            }
            rows = (await transaction.execute(_BOOKS, given)).all()
            if not rows:
                return None
            sequence = rows[0].sequence
            if known is None or sequence != known.sequence:
                event = await transaction.execute(
                    select(SETTINGS.table.c.event).where(
                        SETTINGS.table.c.subject == lane.organization_id
                    )
                )
                self._settings[lane.organization_id] = (
                    OrganizationSettingsChanged.model_validate_json(event.scalar_one())
                )
                continue
            if known.settings.stopped is not None or stopped(stops, EVERYTHING, known=sequence):
                return None
            return Room(rows, known.settings, lane, at=at, zone=zone, stops=stops)


class Room:
    """What is left to a lane's runs on a day; those that are stopped are not among them."""

    def __init__(
        self,
        rows: Sequence[Any],
        settings: OrganizationSettings,
        lane: Lane,
        *,
        at: datetime,
        zone: ZoneInfo,
        stops: Stops,
    ) -> None:
        self._stops = stops
        self.today = day_of(at, zone)
        self.tomorrow = day_after(at, zone)
        self.run_limit = settings.segments_per_run
        self.runs = {
            row.run_id: RunRoom(
                self.run_limit - (row.used or 0),
                # A limit that was raised, or lowered, since then opens the question again.
                row.full_from if row.full_at == self.run_limit else None,
            )
            for row in rows
            if row.run_id is not None and not _is_stopped(row, stops)
        }
        self._campaigns = {row.run_id: row.campaign_id for row in rows}
        own = [n.segments_per_day for n in settings.numbers if n.number == lane.from_number]
        limits = [(settings.segments_per_day, rows[0].used_today or 0)]
        limits += [(limit, rows[0].used_by_number or 0) for limit in own if limit is not None]
        self.day = DayRoom(
            min(limit - used for limit, used in limits),
            min(limit for limit, _ in limits),
            holds=settings.over_day_limit == "hold",
        )

    def withholds(self, row: Any) -> bool:
        """Whether a message was stopped by a word that is newer than the tables."""
        return stopped(self._stops, row.run_id, known=UNHEARD)

    def campaign_of(self, row: Any) -> UUID:
        """Return the campaign of a message that may be claimed."""
        campaign: UUID = row.campaign_id or self._campaigns[row.run_id]
        return campaign

    def with_singles(self, rows: Sequence[Any]) -> dict[UUID, RunRoom]:
        """Return each run's room; urgent messages are of no campaign and have no run's limit."""
        return self.runs | {row.run_id: UNLIMITED for row in rows if row.urgent is not None}


def _is_stopped(row: Any, stops: Stops) -> bool:
    known = UNHEARD if row.control_sequence is None else row.control_sequence
    return (
        row.cancelled is not None
        or row.control not in {None, Control.SENDING}
        or bool(row.held)
        or stopped(stops, row.campaign_id, known=known)
        or stopped(stops, row.run_id, known=UNHEARD)
    )


def _books() -> Select[Any]:
    """Ask for a lane's runs, what each has used, what stops it, and how new the settings are."""
    settings, controls = SETTINGS.table.c, CAMPAIGN_CONTROLS.c
    tenant, number = bindparam("tenant", type_=Uuid()), bindparam("number", type_=String(20))
    on_the_day = and_(
        DAY_USAGE.c.organization_id == tenant,
        DAY_USAGE.c.day == bindparam("today", type_=String(10)),
    )
    joined = (
        SETTINGS.table.outerjoin(
            RUNS,
            and_(
                RUNS.c.organization_id == settings.subject,
                RUNS.c.from_number == number,
                RUNS.c.urgent.is_(None),
            ),
        )
        .outerjoin(RUN_USAGE, RUN_USAGE.c.run_id == RUNS.c.run_id)
        .outerjoin(
            CAMPAIGN_CONTROLS,
            and_(
                controls.campaign_id == RUNS.c.campaign_id,
                controls.organization_id == RUNS.c.organization_id,
            ),
        )
        .outerjoin(
            CANCELLED_RUNS,
            and_(
                CANCELLED_RUNS.c.run_id == RUNS.c.run_id,
                CANCELLED_RUNS.c.organization_id == RUNS.c.organization_id,
            ),
        )
    )
    return (
        select(
            RUNS.c.run_id,
            RUNS.c.campaign_id,
            RUN_USAGE.c.used,
            RUN_USAGE.c.full_from,
            RUN_USAGE.c.full_at,
            controls.sequence.label("control_sequence"),
            controls.state.label("control"),
            held().label("held"),
            CANCELLED_RUNS.c.run_id.label("cancelled"),
            select(func.sum(DAY_USAGE.c.used))
            .where(on_the_day)
            .scalar_subquery()
            .label("used_today"),
            select(DAY_USAGE.c.used)
            .where(on_the_day, DAY_USAGE.c.from_number == number)
            .scalar_subquery()
            .label("used_by_number"),
            settings.sequence,
        )
        .select_from(joined)
        .where(settings.subject == tenant)
        .order_by(RUNS.c.run_id)
    )


_BOOKS = _books()
