"""How a message's history reads: one line an event, in 80 columns as in 120."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import assert_never

from contracts.events.activity import (
    ActivityDeleted,
    ActivityRefused,
    ActivityUnknown,
    ActivityWritten,
)
from contracts.events.audience import RecipientRejected, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import CampaignDue, CampaignScheduled
from contracts.events.message import (
    Accepted,
    MessageHeld,
    MessageQueued,
    MessageResolutionDecided,
    MessageStatusChanged,
    MessageSubmitted,
    Outcome,
    RecipientExcluded,
    Refused,
    Simulated,
    Unresolved,
)
from contracts.events.provider import TwilioCallbackReceived, TwilioStatusPolled
from contracts.events.run import RunResent
from textmanager.eventlog import Logged

NARROW, WIDE = 80, 110
SHORT_ID = 6
DEEPEST = 10
# With milliseconds, unless the history takes days.
CLOCK, CLOCK_OF_DAYS = "%H:%M:%S.%f", "%d %b %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a history, and how far it stands from the first cause."""

    logged: Logged
    depth: int


def facts(event: Event) -> str:
    """Return what an event says that its type doesn't, in a few words and without a person."""
    match event:
        case CampaignScheduled():
            return (
                "" if event.due_at is None else f"for {event.due_at.astimezone(UTC):%d %b %H:%M:%S}"
            )
        case CampaignDue():
            return str(event.mode)
        case RecipientsResolved():
            return f"a page of {len(event.recipients)}"
        case RunResent():
            return f"{event.recipients} that the earlier run missed"
        case RecipientRejected() | RecipientExcluded():
            return f"row {event.row}, {event.reason}"
        case _:
            return _of_message(event)


def _of_message(event: Event) -> str:
    match event:
        case MessageQueued():
            return f"row {event.row}, segments {event.segments}"
        case MessageHeld():
            return f"until {event.until.astimezone(UTC):%d %b %H:%M}, {event.place}"
        case MessageSubmitted():
            return _outcome(event.outcome)
        case MessageStatusChanged():
            return _with_code(str(event.status), event.error_code)
        case TwilioCallbackReceived() | TwilioStatusPolled():
            return _with_code(event.message_status, event.error_code)
        case MessageResolutionDecided():
            return f"{event.resolution}, by {event.by}"
        case ActivityWritten() | ActivityDeleted():
            return f"{event.kind}, SEQN {event.seqn}"
        case ActivityRefused() | ActivityUnknown():
            return event.reason
        case _:
            return ""


def _outcome(outcome: Outcome) -> str:
    match outcome:
        case Accepted() | Simulated():
            return outcome.kind
        case Refused():
            return _with_code(outcome.kind, outcome.code)
        case Unresolved():
            return f"{outcome.kind}, {outcome.reason}"
        case _:
            assert_never(outcome)


def _with_code(word: str, code: object) -> str:
    return f"{word}, {code}" if code else word


def sid_of(event: Event) -> str | None:
    """Return the SID that Twilio gave the message, where the event knows it."""
    match event:
        case MessageSubmitted(outcome=Accepted(sid=sid)):
            return sid
        case MessageStatusChanged():
            return event.sid
        case TwilioCallbackReceived() | TwilioStatusPolled():
            return event.message_sid
        case _:
            return None


def lines(steps: Sequence[Step], *, title: str, width: int) -> list[str]:
    """Return the history as lines; what an event caused is indented under it.

    Ids are short, the whole ones are in the JSON. A wide terminal also gets the cause's.
    """
    width = max(width, NARROW)
    clock = CLOCK if len(_days(steps)) <= 1 else CLOCK_OF_DAYS
    rows = [_cells(step, clock=clock, wide=width >= WIDE) for step in steps]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    heading = [title, *(f"Twilio's {sid}" for sid in _sids(steps)), ""]
    return [each[:width].rstrip() for each in (*heading, *_aligned(rows, widths))]


def _sids(steps: Sequence[Step]) -> list[str]:
    return sorted({sid for step in steps if (sid := sid_of(step.logged.event)) is not None})


def _days(steps: Sequence[Step]) -> set[date]:
    return {step.logged.time.date() for step in steps if step.logged.time is not None}


def _cells(step: Step, *, clock: str, wide: bool) -> list[str]:
    logged = step.logged
    cause = logged.envelope.causation_id
    # The last digits are drawn at random; the first ones are the time, and alike.
    ids = [str(logged.envelope.id)[-SHORT_ID:]]
    if wide:
        ids.append(str(cause)[-SHORT_ID:] if cause else "")
    # A campaign that was edited often would push its messages off the screen.
    indent = ("  " if wide else " ") * min(step.depth, DEEPEST)
    return [
        "" if logged.time is None else _shown(logged.time, clock),
        *ids,
        indent + type(logged.event).__name__,
        logged.event.source,
        facts(logged.event),
    ]


def _aligned(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    names = ["UTC", "id", "cause", "event", "service", ""]
    if rows and len(rows[0]) < len(names):
        names.remove("cause")
    for row in (names, *rows):
        yield " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _shown(at: datetime, clock: str) -> str:
    return at.strftime(clock)[: -3 if clock is CLOCK else None]
