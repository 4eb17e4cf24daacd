"""One message: the facts about it, and the status that they add up to.

`fold` takes facts in any order, any number of times, and ends in the same view, because a
message keeps what was said and `view` says what that means: the newest answer to the sender's
request, and the highest of the reports that are this message's.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from contracts.events.campaign import Mode
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatus,
    MessageSubmitted,
    Outcome,
    Refused,
    Simulated,
    Unresolved,
)
from contracts.events.provider import TwilioCallbackReceived
from status.domain.provider import NO_CODE, Callback, Report

Fact = MessageQueued | MessageSubmitted | TwilioCallbackReceived


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
class Submission:
    """The newest answer to the sender's request."""

    sequence: int
    outcome: Outcome
    segments: int
    attempted_at: datetime


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

    @property
    def sid(self) -> str | None:
        """The SID that Twilio gave in its answer, if it is known."""
        match self.submission:
            case Submission(outcome=Accepted(sid=sid)):
                return sid
        return None


@dataclass(frozen=True, slots=True)
class View:
    """What the world is told of a message."""

    status: MessageStatus
    error_code: int | None
    sid: str | None
    segments: int
    attempted_at: datetime | None


class Refusal(StrEnum):
    """Why a report is not this message's; a signature proves an account and no more."""

    ORGANIZATION = "organization"
    NUMBER = "number"
    SID = "sid"
    TEST = "test"
    """A TEST message never went to Twilio."""


UNKNOWN = Message()
_Outcome = tuple[MessageStatus, int, str | None]
"""A status, its error code, and the SID."""


def fold(message: Message, fact: Fact) -> Message:
    """Take one fact; the sequence rises exactly when there is something new to tell."""
    after = _take(message, fact)
    if after is message:
        return message
    told = view(after)
    if told is None or told.status is MessageStatus.PREPARING or told == view(message):
        return after
    return replace(after, sequence=message.sequence + 1)


def view(message: Message) -> View | None:
    """Say what the facts add up to; None while the message itself is not known."""
    if message.queued is None:
        return None
    submission = message.submission
    report = _believed(message)
    if report is not None and report.shown is not None:
        outcome: _Outcome = report.shown, report.code, report.sid
    else:
        outcome = _answered(submission)
    return View(
        status=outcome[0],
        error_code=outcome[1] or None,
        sid=outcome[2],
        segments=submission.segments if submission else message.queued.segments,
        attempted_at=submission.attempted_at if submission else None,
    )


def settled(message: Message) -> bool:
    """Whether the message has an outcome, be it that nobody can tell; it never loses it."""
    known = view(message)
    return known is not None and known.status is not MessageStatus.PREPARING


def refusal(message: Message, callback: Callback) -> Refusal | None:
    """Say why a report is not this message's; only a contradiction counts, not a gap."""
    queued = message.queued
    if queued is None:
        return None
    if callback.organization_id != queued.organization_id:
        return Refusal.ORGANIZATION
    if (callback.to or queued.to) != queued.to:
        return Refusal.NUMBER
    if (callback.from_number or queued.from_number) != queued.from_number:
        return Refusal.NUMBER
    if queued.mode is Mode.TEST:
        return Refusal.TEST
    if message.sid not in {None, callback.sid}:
        return Refusal.SID
    return None


def refusals(before: Message, after: Message, fact: Fact) -> list[Refusal]:
    """Say which reports this fact showed not to be the message's."""
    match fact:
        case TwilioCallbackReceived():
            judged = [Callback.of(fact)]
        case MessageQueued():
            judged = list(before.parked)
        case MessageSubmitted():
            foreign = [each for each in before.reports if after.sid not in {None, each.sid}]
            return [Refusal.SID] * (len(foreign) if before.sid != after.sid else 0)
        case _:
            assert_never(fact)
    return [why for each in judged if (why := refusal(after, each)) is not None]


def _take(message: Message, fact: Fact) -> Message:
    match fact:
        case MessageQueued():
            return _know(message, fact)
        case MessageSubmitted():
            known = message.submission
            if known is not None and known.sequence >= fact.sequence:
                return message
            answer = Submission(fact.sequence, fact.outcome, fact.segments, fact.attempted_at)
            return replace(message, submission=answer)
        case TwilioCallbackReceived():
            return _hear(message, Callback.of(fact))
        case _:
            assert_never(fact)


def _know(message: Message, fact: MessageQueued) -> Message:
    """Learn what the message is, and judge the reports that came before it."""
    if message.queued is not None:
        return message
    queued = Queued(
        organization_id=fact.organization_id,
        run_id=fact.run_id,
        campaign_id=fact.campaign_id,
        to=fact.to,
        from_number=fact.from_number,
        segments=fact.segments,
        mode=fact.mode,
    )
    known = replace(message, queued=queued, parked=())
    for callback in message.parked:
        known = _hear(known, callback)
    return known


def _hear(message: Message, callback: Callback) -> Message:
    """Take a report, unless it is another message's; keep it when nobody can tell yet."""
    if message.queued is None:
        parked = {each.order: each for each in (*message.parked, callback)}
        if len(parked) == len(message.parked):
            return message
        return replace(message, parked=tuple(parked[key] for key in sorted(parked)))
    if refusal(message, callback) not in {None, Refusal.SID}:
        return message
    # A report under another SID is kept apart: which SID is the message's may be told later.
    by_sid = {report.sid: report for report in message.reports}
    before = by_sid.get(callback.sid, Report(callback.sid))
    after = before.with_callback(callback)
    if after == before:
        return message
    by_sid[callback.sid] = after
    return replace(message, reports=tuple(by_sid[sid] for sid in sorted(by_sid)))


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
