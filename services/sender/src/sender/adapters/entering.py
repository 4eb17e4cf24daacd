"""New rows of the ledger: waiting, held for the night, simulated, or left out at the door."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.store import Transaction, upsert
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason
from contracts.events.campaign import Mode
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageSubmitted,
    RecipientExcluded,
    Simulated,
)
from sender.adapters.tables import MESSAGES, RUNS
from sender.domain.messages import State
from sender.ports import Entered
from timing.quiet import Place, Rules

_SELDOM: Final[dict[str, Any]] = dict.fromkeys(
    ("log_subject", "urgent", "confirms_opt_out", "place", "window_until")
)


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A message that the ledger doesn't have yet."""

    queued: Envelope[MessageQueued]
    place: Place | None = None
    """Where the member is, if the quiet hours there matter."""
    confirms_opt_out: bool = False


async def enter(
    transaction: Transaction, entries: Collection[Entry], *, rules: Rules, at: datetime
) -> list[Envelope[Entered]]:
    """Write new messages into the ledger, and their runs into the lanes.

    A TEST's are settled at once: nothing leaves the house. Returns the events that say so.
    """
    rows, told, held = [], [], []
    for entry in entries:
        row, more = _row(entry, rules, at)
        rows.append(row)
        told.append(entry.queued)
        if more is not None:
            held.append(seal(more, because=entry.queued.id))
    await _insert(transaction, rows)
    events = [each.event for each in told if each.event.mode is not Mode.TEST]
    await _open_runs(transaction, events)
    return [*told, *held]


async def _open_runs(transaction: Transaction, events: Sequence[MessageQueued]) -> None:
    """Note that runs have something to send.

    A run that is there already is written anew: who looks for runs that are over waits for us.
    """
    if not events:
        return
    runs = {(each.organization_id, each.from_number, each.run_id): each for each in events}
    statement = upsert(transaction.connection, RUNS)
    noted = statement.on_conflict_do_update(
        index_elements=["organization_id", "from_number", "run_id"],
        set_={"campaign_id": statement.excluded.campaign_id},
    )
    rows = [
        {
            "organization_id": organization,
            "from_number": number,
            "run_id": run,
            "campaign_id": runs[organization, number, run].campaign_id,
            "urgent": 1 if runs[organization, number, run].urgent else None,
        }
        for organization, number, run in sorted(runs)
    ]
    await transaction.execute(noted, rows)


async def enter_left_out(
    transaction: Transaction, left_out: Sequence[tuple[MessageQueued, Reason, Any]]
) -> list[Envelope[Entered]]:
    """Write down who gets no message; each with the cause's id. Returns the events that say so."""
    rows: list[dict[str, Any]] = []
    told: list[Envelope[Entered]] = []
    for queued, reason, because in left_out:
        excluded = seal(_excluded(queued, reason), because=because)
        told.append(excluded)
        rows.append(
            _plain(Envelope(queued, excluded.id), confirms_opt_out=False)
            | {"state": State.EXCLUDED, "reason": reason}
        )
    await _insert(transaction, rows)
    return told


async def _insert(transaction: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows; most have nothing out of the common, and each column of a row costs."""
    common = [row for row in rows if not row.keys() & _SELDOM.keys()]
    await transaction.insert_new(MESSAGES, common)
    if len(common) < len(rows):
        others = [_SELDOM | row for row in rows if row.keys() & _SELDOM.keys()]
        await transaction.insert_new(MESSAGES, others)


def _row(
    entry: Entry, rules: Rules, at: datetime
) -> tuple[dict[str, Any], MessageSubmitted | MessageHeld | None]:
    queued = entry.queued.event
    row = _plain(entry.queued, confirms_opt_out=entry.confirms_opt_out)
    if queued.mode is Mode.TEST:
        row |= {"state": State.SIMULATED, "sequence": 2}
        return row, _simulated(queued)
    if entry.place is None:
        return row, None
    window = rules.window(entry.place, at)
    row |= {"place": entry.place.key, "window_until": window.until}
    if window.is_open:
        return row, None
    row |= {"state": State.HELD, "sequence": 2}
    return row, MessageHeld(
        organization_id=queued.organization_id,
        occurred_at=at,
        sequence=2,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=queued.message_id,
        until=window.until,
        place=entry.place.key,
    )


def _simulated(queued: MessageQueued) -> MessageSubmitted:
    """Say of a TEST message that it was simulated (TM-6)."""
    return MessageSubmitted(
        organization_id=queued.organization_id,
        occurred_at=queued.occurred_at,
        sequence=2,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=queued.message_id,
        outcome=Simulated(),
        segments=queued.segments,
        attempted_at=queued.occurred_at,
    )


def _excluded(queued: MessageQueued, reason: Reason) -> RecipientExcluded:
    return RecipientExcluded(
        organization_id=queued.organization_id,
        occurred_at=queued.occurred_at,
        sequence=1,
        run_id=queued.run_id,
        campaign_id=queued.campaign_id,
        message_id=queued.message_id,
        recipient_id=queued.recipient_id,
        row=queued.row,
        imis_id=queued.imis_id,
        reason=reason,
        to=queued.to,
        from_number=queued.from_number,
        mode=queued.mode,
        write_to=queued.write_to,
    )


def _plain(envelope: Envelope[MessageQueued], *, confirms_opt_out: bool) -> dict[str, Any]:
    event = envelope.event
    seldom: dict[str, Any] = {}
    if event.log_subject:
        seldom["log_subject"] = event.log_subject
    if event.urgent:
        seldom["urgent"] = 1
    if confirms_opt_out:
        seldom["confirms_opt_out"] = 1
    return seldom | {
        "message_id": event.message_id,
        "organization_id": event.organization_id,
        "run_id": event.run_id,
        "campaign_id": event.campaign_id,
        "recipient_id": event.recipient_id,
        "row": event.row,
        "imis_id": event.imis_id,
        "from_number": event.from_number,
        "to_number": event.to,
        "text": event.text,
        "segments": event.segments,
        "mode": event.mode,
        "write_to": event.write_to,
        "state": State.QUEUED,
        "reason": None,
        "queued_event": envelope.id,
        "sequence": 1,
        "looks": 0,
    }
