"""`textmanager audit run`: how the story of a run reads."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from textmanager.audit import kafka_of
from textmanager.audit_run import RunStory, fate_of, story
from textmanager.errors import UserError


async def show_run(state_dir: Path, run_id: str, *, as_json: bool, recipients: bool) -> None:
    """Print what became of the run."""
    try:
        wanted = UUID(run_id)
    except ValueError as error:
        raise UserError(f"{run_id!r} is no run id: it is a UUID.") from error
    told = await story(kafka_of(state_dir), wanted)
    text = (
        json.dumps(plain(told, recipients=recipients), indent=2)
        if as_json
        else "\n".join(lines(told, recipients=recipients))
    )
    sys.stdout.write(text + "\n")


def plain(told: RunStory, *, recipients: bool) -> dict[str, Any]:
    """Return the story as plain values."""
    said: dict[str, Any] = {
        "run_id": str(told.run_id),
        "name": told.name,
        "occurrence": told.occurrence,
        "mode": told.mode,
        "due_at": _iso(told.due_at),
        "first_accepted": _iso(told.first_accepted),
        "last_accepted": _iso(told.last_accepted),
        "end": told.end,
        "alarms": told.alarms,
        "earlier_run": told.earlier_run,
        "later_runs": told.later_runs,
        **told.counts(),
    }
    if recipients:
        said["rows"] = [
            {"row": e.row, "imis_id": e.imis_id, "message_id": e.message_id, "fate": fate_of(e)}
            for e in sorted(told.rows.values(), key=lambda each: each.row)
        ]
    return said


def lines(told: RunStory, *, recipients: bool) -> list[str]:
    """Return the story for people to read."""
    said = told.counts()
    shown = [
        f"Run {told.run_id}  {told.name}",
        f"  {told.occurrence} {told.mode}, {told.end}".rstrip(),
    ]
    if told.due_at and told.first_accepted and told.last_accepted:
        first, last = (
            (at - told.due_at).total_seconds() for at in (told.first_accepted, told.last_accepted)
        )
        shown.append(
            f"  due {told.due_at:%d %b %Y %H:%M:%S} UTC, sent {first:.1f} to {last:.1f} s after"
        )
    shown.append(
        f"  {said['accounted']} of {_or_unknown(told.rows_returned)} rows accounted for: "
        f"{said['messages']} messages, {sum(said['left_out'].values())} left out"
    )
    for title, key in (("status", "statuses"), ("left out", "left_out"), ("error", "errors")):
        shown += [f"  {title:<10} {name!s:<18} {n:>8,}" for name, n in said[key].items()]
    shown += [f"  {'activity':<10} {name:<18} {n:>8,}" for name, n in said["activities"].items()]
    shown.append(f"  {told.segments:,} segments accepted by Twilio")
    if told.earlier_run:
        shown.append(f"  stands in for what run {told.earlier_run} missed")
    shown += [f"  what it missed was sent by run {each}" for each in told.later_runs]
    shown += [f"  ALARM {each}" for each in told.alarms]
    if recipients:
        for each in sorted(told.rows.values(), key=lambda fate: fate.row):
            which = f"row {each.row:<7} {each.imis_id:<12} {each.message_id or '-':<36}"
            shown.append(f"  {which} {fate_of(each)}")
    return shown


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _or_unknown(count: int | None) -> str:
    return "an unknown number of" if count is None else f"{count:,}"
