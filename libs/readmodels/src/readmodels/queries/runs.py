"""Questions about runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts import ids
from readmodels.tables import RUN_COUNTS, RUN_ERRORS, RUN_HOLDS, RUN_HOURS, RUNS, SKIPPED
from readmodels.views import (
    ErrorCount,
    HeldView,
    HourCount,
    RowStatus,
    RunKind,
    RunProgress,
    RunState,
    RunView,
    SkippedView,
    StatusCount,
)

STALLED = "stalled"
UNSETTLED = frozenset({RowStatus.PREPARING, RowStatus.HELD})
"""Statuses of rows that have no outcome yet."""
_OVER = frozenset({RunState.COMPLETED, RunState.FAILED})
_SINGLE = (RunKind.URGENT, RunKind.FIRST_LOOK, RunKind.REPLY)
_ALARM = ("alarm_detail", "alarm_code", "alarm_advice")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def run(connection: AsyncConnection, organization_id: UUID, run_id: UUID) -> RunView | None:
    """Return one run, or None when the organisation has no such run."""
    query = select(RUNS).where(RUNS.c.organization_id == organization_id, RUNS.c.run_id == run_id)
    found = (await connection.execute(query)).mappings().all()
    return next(iter(await _whole(connection, organization_id, found)), None)


async def runs_of(
    connection: AsyncConnection, organization_id: UUID, campaign_id: UUID
) -> list[RunView]:
    """Return a campaign's runs, the latest first."""
    query = (
        select(RUNS)
        .where(RUNS.c.organization_id == organization_id, RUNS.c.campaign_id == campaign_id)
        .order_by(func.coalesce(RUNS.c.due_at, RUNS.c.started_at).desc(), RUNS.c.run_id)
    )
    found = (await connection.execute(query)).mappings().all()
    return await _whole(connection, organization_id, found)


async def run_progress(
    connection: AsyncConnection, organization_id: UUID, run_id: UUID
) -> RunProgress | None:
    """Return how far a run is, or None when the organisation has no such run."""
    columns = RUNS.c
    query = select(columns.state, columns.recipients).where(
        columns.organization_id == organization_id, columns.run_id == run_id
    )
    known = (await connection.execute(query)).first()
    if known is None:
        return None
    by_status = (await counts_of(connection, organization_id, [run_id]))[run_id]
    settled = [each for key, each in by_status.items() if key not in UNSETTLED]
    return RunProgress(
        run_id=run_id,
        state=RunState(known.state),
        by_status=by_status,
        recipients=known.recipients,
        total=sum(each.messages for each in by_status.values()),
        settled=sum(each.messages for each in settled),
        segments=sum(each.segments for each in by_status.values()),
        settled_segments=sum(each.segments for each in settled),
    )


async def counts_of(
    connection: AsyncConnection, organization_id: UUID, runs: Sequence[UUID]
) -> Mapping[UUID, dict[RowStatus, StatusCount]]:
    """Return how many rows of each run have each status; none of a run that has none."""
    columns = RUN_COUNTS.c
    query = (
        select(columns.run_id, columns.status, columns.messages, columns.segments)
        .where(
            columns.organization_id == organization_id,
            columns.run_id.in_(runs),
            columns.messages > 0,
        )
        .order_by(columns.status)
    )
    found: dict[UUID, dict[RowStatus, StatusCount]] = defaultdict(dict)
    for row in (await connection.execute(query)).all() if runs else ():
        count = StatusCount(messages=row.messages, segments=row.segments)
        found[row.run_id][RowStatus(row.status)] = count
    return found


async def run_errors(
    connection: AsyncConnection, organization_id: UUID, run_id: UUID
) -> list[ErrorCount]:
    """Return what went wrong with a run's messages, the most frequent first.

    Rows that were left out on purpose are not among them: see `left_out_of`.
    """
    columns = RUN_ERRORS.c
    query = (
        select(RUN_ERRORS)
        .where(
            columns.organization_id == organization_id,
            columns.run_id == run_id,
            columns.messages > 0,
            columns.status != RowStatus.EXCLUDED,
        )
        .order_by(columns.messages.desc(), columns.status, columns.error_code, columns.reason)
    )
    return [
        ErrorCount(
            status=RowStatus(row.status),
            error_code=row.error_code or None,
            reason=row.reason or None,
            messages=row.messages,
            segments=row.segments,
        )
        for row in await connection.execute(query)
    ]


async def left_out_of(
    connection: AsyncConnection, organization_id: UUID, runs: Sequence[UUID]
) -> Mapping[UUID, dict[str, int]]:
    """Return how many rows of each run got no text, by the reason; bad numbers are among them."""
    columns = RUN_ERRORS.c
    query = (
        select(columns.run_id, columns.reason, columns.messages)
        .where(
            columns.organization_id == organization_id,
            columns.run_id.in_(runs),
            columns.reason != "",
            columns.messages > 0,
        )
        .order_by(columns.reason)
    )
    found: dict[UUID, dict[str, int]] = defaultdict(dict)
    for row in (await connection.execute(query)).all() if runs else ():
        found[row.run_id][row.reason] = found[row.run_id].get(row.reason, 0) + row.messages
    return found


async def run_hours(
    connection: AsyncConnection, organization_id: UUID, run_id: UUID
) -> list[HourCount]:
    """Return what the attempts of each hour came to so far, the earliest first."""
    columns = RUN_HOURS.c
    query = (
        select(RUN_HOURS)
        .where(
            columns.organization_id == organization_id,
            columns.run_id == run_id,
            columns.messages > 0,
        )
        .order_by(columns.hour, columns.status)
    )
    return [
        HourCount(
            hour=_EPOCH + timedelta(hours=row.hour),
            status=RowStatus(row.status),
            messages=row.messages,
            segments=row.segments,
        )
        for row in await connection.execute(query)
    ]


async def skipped(
    connection: AsyncConnection, organization_id: UUID, campaign_id: UUID
) -> list[SkippedView]:
    """Return a recurring campaign's times that passed unused, the latest first."""
    columns = SKIPPED.c
    query = (
        select(SKIPPED)
        .where(columns.organization_id == organization_id, columns.campaign_id == campaign_id)
        .order_by(columns.first.desc())
    )
    found = (await connection.execute(query)).mappings().all()
    return [SkippedView.model_validate(dict(row)) for row in found]


def kind_of(organization_id: UUID, campaign_id: UUID) -> RunKind:
    """Return what a campaign's id stands for: a campaign, or the texts that belong to none."""
    singles = {ids.single_texts_id(organization_id, each.value): each for each in _SINGLE}
    return singles.get(campaign_id, RunKind.CAMPAIGN)


async def _whole(
    connection: AsyncConnection, organization_id: UUID, found: Sequence[RowMapping]
) -> list[RunView]:
    """Add what other tables say of these runs."""
    runs = [each["run_id"] for each in found]
    if not runs:
        return []
    later = await _later(connection, organization_id, runs)
    holds = await _holds(connection, organization_id, runs)
    counts = await counts_of(connection, organization_id, runs)
    shown: list[RunView] = []
    for each in found:
        run_id, over = each["run_id"], each["state"] in _OVER
        waits = each["state"] == RunState.PREPARING
        resent = each["earlier_run_id"] is not None
        by_status = counts[run_id]
        added = {
            "later_run_ids": later[run_id],
            "held": [hold for hold in holds[run_id] if hold.left_out or not over],
            "waiting": each["waiting"] if waits else None,
            "kind_of_run": (
                RunKind.RESEND if resent else kind_of(organization_id, each["campaign_id"])
            ),
            "to_segments_left": sum(
                count.segments for status, count in by_status.items() if status in UNSETTLED
            ),
        }
        shown.append(RunView.model_validate({**each, **added, **_alarm_of(each)}))
    return shown


async def _later(
    connection: AsyncConnection, organization_id: UUID, runs: Sequence[UUID]
) -> Mapping[UUID, list[UUID]]:
    """Name the runs that stand in for what these missed."""
    columns = RUNS.c
    query = (
        select(columns.earlier_run_id, columns.run_id)
        .where(columns.organization_id == organization_id, columns.earlier_run_id.in_(runs))
        .order_by(columns.run_id)
    )
    later: dict[UUID, list[UUID]] = defaultdict(list)
    for row in await connection.execute(query):
        later[row.earlier_run_id].append(row.run_id)
    return later


async def _holds(
    connection: AsyncConnection, organization_id: UUID, runs: Sequence[UUID]
) -> Mapping[UUID, list[HeldView]]:
    """Say what kept some of these runs' texts back."""
    columns = RUN_HOLDS.c
    query = (
        select(RUN_HOLDS)
        .where(columns.organization_id == organization_id, columns.run_id.in_(runs))
        .order_by(columns.at, columns.held_by)
    )
    holds: dict[UUID, list[HeldView]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        holds[row["run_id"]].append(HeldView.model_validate(dict(row)))
    return holds


def _alarm_of(run: RowMapping) -> dict[str, object]:
    """Return why someone has to look at a run; one that is over is not stalled any more."""
    over = run["state"] in _OVER
    if run["alarm"] is None or (
        run["alarm"] == STALLED and over and run["state_sequence"] > run["alarm_sequence"]
    ):
        return dict.fromkeys(("alarm", "alarm_kind", *_ALARM))
    told: dict[str, object] = {name: run[name] for name in _ALARM}
    return told | {"alarm": f"{run['alarm']}: {run['alarm_detail']}", "alarm_kind": run["alarm"]}
