"""Takes the facts about a message, in any order and any number of times, to the same end.

A report is taken alike whether Twilio sent it or was asked for it.
"""

from dataclasses import replace
from enum import StrEnum
from typing import assert_never

from contracts.events.campaign import Mode
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageStatus,
    MessageSubmitted,
    RecipientExcluded,
)
from contracts.events.provider import TwilioCallbackReceived, TwilioStatusPolled
from status.domain.message import Held, LeftOut, Message, Queued, Submission, view
from status.domain.provider import Callback, Report

Fact = (
    MessageQueued
    | MessageHeld
    | RecipientExcluded
    | MessageSubmitted
    | TwilioCallbackReceived
    | TwilioStatusPolled
)


class Refusal(StrEnum):
    """Why a report is not this message's; a signature proves an account and no more."""

    ORGANIZATION = "organization"
    NUMBER = "number"
    SID = "sid"
    TEST = "test"
    """A TEST message never went to Twilio."""


def fold(message: Message, fact: Fact) -> Message:
    """Take one fact; the sequence rises exactly when there is something new to tell."""
    after = _take(message, fact)
    if after is message:
        return message
    told = view(after)
    if told is None or told.status is MessageStatus.PREPARING or told == view(message):
        return after
    return replace(after, sequence=message.sequence + 1)


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
        case TwilioCallbackReceived() | TwilioStatusPolled():
            judged = [Callback.of(fact)]
        case MessageQueued():
            judged = list(before.parked)
        case RecipientExcluded() | MessageHeld():
            return []
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
        case RecipientExcluded():
            return _leave_out(message, fact)
        case MessageHeld():
            if message.held is not None and message.held.sequence >= fact.sequence:
                return message
            return replace(message, held=Held(fact.sequence))
        case MessageSubmitted():
            known = message.submission
            if known is not None and known.sequence >= fact.sequence:
                return message
            answer = Submission(fact.sequence, fact.outcome, fact.segments, fact.attempted_at)
            return replace(message, submission=answer)
        case TwilioCallbackReceived() | TwilioStatusPolled():
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


def _leave_out(message: Message, fact: RecipientExcluded) -> Message:
    if message.left_out is not None and message.left_out.sequence >= fact.sequence:
        return message
    left_out = LeftOut(
        organization_id=fact.organization_id,
        run_id=fact.run_id,
        campaign_id=fact.campaign_id,
        reason=fact.reason,
        sequence=fact.sequence,
    )
    return replace(message, left_out=left_out)


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
