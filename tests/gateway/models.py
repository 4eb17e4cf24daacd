"""The read models in memory, filled by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from contracts.events.consent import ReviewStatus
from gateway.domain.views import Message, Progress, Run, Unknown
from readmodels.views import (
    ActivityState,
    ActivityView,
    ChargeBucket,
    ErrorCount,
    HeldActivities,
    HourCount,
    OptOutView,
    QueuedView,
    ReviewView,
    RowStatus,
    SkippedView,
    UsageView,
)

NOTHING_USED = UsageView(
    texts_today=0,
    segments_today=0,
    texts_this_month=0,
    segments_this_month=0,
    texts_lifetime=0,
    failed_lifetime=0,
)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class FakeReadModels:
    """Read models that a test fills by hand."""

    def __init__(self) -> None:
        self.runs: dict[tuple[UUID, UUID], Run] = {}
        self.found: dict[UUID, list[Message]] = {}
        self.used = NOTHING_USED
        self.usages: dict[UUID, UsageView] = {}
        self.doubts: list[Unknown] = []
        self.waiting: dict[str, QueuedView] = {}
        self.opted_out: dict[UUID, list[OptOutView]] = {}
        self.skips: dict[tuple[UUID, UUID], list[SkippedView]] = {}
        self.errors: dict[UUID, list[ErrorCount]] = {}
        self.hours: dict[UUID, list[HourCount]] = {}
        self.written: dict[UUID, list[ActivityView]] = {}
        self.charged: dict[UUID, list[ChargeBucket]] = {}
        self.names: dict[UUID, dict[UUID, str]] = {}
        self.to_read: dict[UUID, list[ReviewView]] = {}
        self.held: dict[UUID, HeldActivities] = {}
        self.markers: dict[UUID, int] = {}
        self.days_asked: list[tuple[datetime, datetime, datetime]] = []

    async def run(self, organization_id: UUID, run_id: UUID) -> Run | None:
        return self.runs.get((organization_id, run_id))

    async def runs_of(self, organization_id: UUID, campaign_id: UUID) -> list[Run]:
        return [
            run
            for (owner, _), run in self.runs.items()
            if owner == organization_id and run.campaign_id == campaign_id
        ]

    async def progress(self, organization_id: UUID, run_id: UUID) -> Progress | None:
        run = self.runs.get((organization_id, run_id))
        if run is None:
            return None
        total = sum(run.by_status.values())
        return Progress(run_id, run.state, run.by_status, run.messages, total)

    async def messages(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        status: RowStatus | None,
        after_row: int | None,
        limit: int,
    ) -> list[Message]:
        mine = [each for each in self.found.get(organization_id, []) if each.run_id == run_id]
        wanted = [each for each in mine if status in {None, each.status}]
        return [each for each in wanted if after_row is None or each.row > after_row][:limit]

    async def message(self, organization_id: UUID, message_id: UUID) -> Message | None:
        mine = self.found.get(organization_id, [])
        return next((each for each in mine if each.message_id == message_id), None)

    async def skipped(self, organization_id: UUID, campaign_id: UUID) -> list[SkippedView]:
        return self.skips.get((organization_id, campaign_id), [])

    async def run_errors(self, organization_id: UUID, run_id: UUID) -> list[ErrorCount]:
        return self.errors.get(run_id, []) if (organization_id, run_id) in self.runs else []

    async def run_hours(self, organization_id: UUID, run_id: UUID) -> list[HourCount]:
        return self.hours.get(run_id, []) if (organization_id, run_id) in self.runs else []

    async def activities(
        self,
        organization_id: UUID,
        run_id: UUID,
        *,
        state: ActivityState | None,
        after_row: int | None,
        limit: int,
    ) -> list[ActivityView]:
        if (organization_id, run_id) not in self.runs:
            return []
        mine = [
            each
            for each in self.written.get(run_id, [])
            if state in {None, each.state} and (after_row is None or each.row > after_row)
        ]
        rows = sorted({each.row for each in mine})[:limit]
        return sorted(
            (each for each in mine if each.row in rows), key=lambda each: (each.row, each.kind)
        )

    async def usage(
        self,
        organization_id: UUID,
        *,
        day_start: datetime,
        day_end: datetime,
        month_start: datetime,
        at: datetime,
    ) -> UsageView:
        self.days_asked.append((day_start, day_end, month_start))
        return self.usages.get(organization_id, self.used)

    async def charges(
        self, organization_id: UUID, start: datetime, end: datetime
    ) -> list[ChargeBucket]:
        mine = self.charged.get(organization_id, [])
        return [each for each in mine if start <= each.start < end]

    async def campaign_names(
        self, organization_id: UUID, campaign_ids: Sequence[UUID]
    ) -> dict[UUID, str]:
        mine = self.names.get(organization_id, {})
        return {key: name for key, name in mine.items() if key in campaign_ids}

    async def opt_outs(
        self, organization_id: UUID, *, after: UUID | None, limit: int
    ) -> list[OptOutView]:
        mine = sorted(self.opted_out.get(organization_id, []), key=lambda each: each.consent_id)
        return [each for each in mine if after is None or each.consent_id > after][:limit]

    async def reviews(
        self,
        organization_id: UUID,
        *,
        status: ReviewStatus | None,
        after: UUID | None,
        limit: int,
    ) -> list[ReviewView]:
        mine = sorted(
            self.to_read.get(organization_id, []),
            key=lambda each: (each.received_at, each.review_id),
            reverse=True,
        )
        wanted = [each for each in mine if status in {None, each.status}]
        seen = [each.review_id for each in wanted]
        if after is not None and after not in seen:
            return []
        start = 0 if after is None else seen.index(after) + 1
        return wanted[start : start + limit]

    async def review(self, organization_id: UUID, review_id: UUID) -> ReviewView | None:
        mine = self.to_read.get(organization_id, [])
        return next((each for each in mine if each.review_id == review_id), None)

    async def activities_held(self, organization_id: UUID) -> HeldActivities | None:
        return self.held.get(organization_id)

    async def change_marker(self, organization_id: UUID) -> int:
        return self.markers.get(organization_id, 0)

    async def queued(self, organization_id: UUID, from_number: str) -> QueuedView:
        return self.waiting.get(from_number, QueuedView(messages=0, segments=0))

    async def opt_out(
        self, organization_id: UUID, number: str, from_number: str
    ) -> OptOutView | None:
        mine = self.opted_out.get(organization_id, [])
        return next(
            (
                each
                for each in mine
                if each.number == number and each.from_number in {"", from_number}
            ),
            None,
        )

    async def unknown(self, organization_id: UUID | None, *, limit: int) -> list[Unknown]:
        mine = [each for each in self.doubts if organization_id in {None, each.organization_id}]
        return sorted(mine, key=lambda each: (each.since or _LONG_AGO, each.message_id))[:limit]

    async def whose(self, message_id: UUID) -> UUID | None:
        owners = {each.message_id: owner for owner, mine in self.found.items() for each in mine}
        owners |= {each.message_id: each.organization_id for each in self.doubts}
        return owners.get(message_id)

    async def unknown_message(self, organization_id: UUID, message_id: UUID) -> Unknown | None:
        mine = await self.unknown(organization_id, limit=1_000_000)
        return next((each for each in mine if each.message_id == message_id), None)
