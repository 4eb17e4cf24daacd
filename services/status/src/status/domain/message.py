"""One message: what is known of it, and the status that it adds up to.

A message keeps what was said, and `view` says what that means: the newest answer to the sender's
request, and the highest of the reports that are this message's.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from contracts.events.audience import Reason
from contracts.events.campaign import Mode
from contracts.events.message import (
    Accepted,
    MessageStatus,
    Outcome,
    Refused,
    Simulated,
    Unresolved,
)
from status.domain.provider import NO_CODE, Callback, Report

FINAL = frozenset(
    {
        MessageStatus.DELIVERED,
        MessageStatus.UNDELIVERED,
        MessageStatus.FAILED,
        MessageStatus.ERROR,
        MessageStatus.SIMULATED,
    }
)
"""The statuses after which nothing more is to be asked."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What the message is."""

    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    to: str
    from_number: str
    segments: int
    mode: Mode


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why the sender does not send it, after all or from the start."""

    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    reason: Reason
    sequence: int


@dataclass(frozen=True, slots=True)
class Submission:
    """The newest answer to the sender's request."""

    sequence: int
    outcome: Outcome
    segments: int
    attempted_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """The message waits; its newest hold."""

    sequence: int


@dataclass(frozen=True, slots=True)
class Message:
    """All that is known of one message."""

    queued: Queued | None = None
    submission: Submission | None = None
    reports: tuple[Report, ...] = ()
    parked: tuple[Callback, ...] = ()
    """Reports that came before the message itself; whether they are its own is not known yet."""
    sequence: int = 0
    """How often the view changed so far."""
    left_out: LeftOut | None = None
    held: Held | None = None

    @property
    def waits(self) -> bool:
        """Whether a hold is the newest that the sender said of it."""
        if self.held is None or self.left_out is not None:
            return False
        return self.submission is None or self.submission.sequence < self.held.sequence

    @property
    def sid(self) -> str | None:
        """The SID that Twilio gave in its answer, if it is known."""
        match self.submission:
            case Submission(outcome=Accepted(sid=sid)):
                return sid
        return None


UNKNOWN = Message()


@dataclass(frozen=True, slots=True)
class View:
    """What the world is told of a message."""

    status: MessageStatus
    error_code: int | None
    sid: str | None
    segments: int
    attempted_at: datetime | None


_Outcome = tuple[MessageStatus, int, str | None]
"""A status, its error code, and the SID."""


def view(message: Message) -> View | None:
    """Say what the facts add up to; None while the message itself is not known."""
    if message.queued is None:
        return None
    submission = message.submission
    report = _believed(message)
    if report is not None and report.shown is not None:
        outcome: _Outcome = report.shown, report.code, report.sid
    elif message.waits:
        outcome = MessageStatus.HELD, NO_CODE, None
    else:
        outcome = _answered(submission)
    return View(
        status=outcome[0],
        error_code=outcome[1] or None,
        sid=outcome[2],
        segments=submission.segments if submission else message.queued.segments,
        attempted_at=submission.attempted_at if submission else None,
    )


_OPEN = frozenset({MessageStatus.PREPARING, MessageStatus.HELD, MessageStatus.UNKNOWN})


class Standing(StrEnum):
    """How a message counts in its run's ledger: in one way at a time, so that none counts twice."""

    UNHEARD = "unheard"
    WAITING = "waiting"
    SETTLED = "settled"
    EXCLUDED = "excluded"


def standing(message: Message) -> Standing:
    """Say how the message counts; an outcome that is known outweighs having been left out.

    A message of which nobody could tell counts as settled until it is given up: then it is an
    exclusion with its reason, and no longer an outcome. One that is held waits, unless it was
    one of those and is to be sent again.
    """
    known = view(message)
    if known is not None and known.status not in _OPEN:
        return Standing.SETTLED
    if message.left_out is not None:
        return Standing.EXCLUDED
    if known is None:
        return Standing.UNHEARD
    return Standing.WAITING if message.submission is None else Standing.SETTLED


def _believed(message: Message) -> Report | None:
    """Choose among the reports: those of the known SID, else the highest of all."""
    own = [each for each in message.reports if message.sid in {None, each.sid}]
    return max(own, key=lambda report: report.weight, default=None)


def _answered(submission: Submission | None) -> _Outcome:
    """Say what the answer to the request means by itself."""
    if submission is None:
        return MessageStatus.PREPARING, NO_CODE, None
    match submission.outcome:
        case Accepted(sid=sid):
            return MessageStatus.SENT, NO_CODE, sid
        case Refused(code=code, invalid_number=invalid):
            return MessageStatus.ERROR if invalid else MessageStatus.FAILED, code, None
        case Simulated():
            return MessageStatus.SIMULATED, NO_CODE, None
        case Unresolved():
            return MessageStatus.UNKNOWN, NO_CODE, None
        case _:
            assert_never(submission.outcome)
