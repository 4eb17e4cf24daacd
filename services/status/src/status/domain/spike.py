"""A spike of one error: so many of it among a campaign's newest outcomes that somebody must act.

An outcome is what is known of a text's way for the first time: delivered, undelivered, failed, or
refused at once. That a member opted out or that a number is not valid says something of the
member and nothing of the campaign: such texts don't count at all (X-7).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent, CampaignResumed, CampaignStatus
from contracts.events.message import MessageStatus
from contracts.ids import single_texts_id
from status.domain.folding import Fact
from status.domain.message import Message, view
from status.domain.provider import INVALID_NUMBER, NO_CODE, OPTED_OUT

LANDLINE = 21635
ABOUT_THE_MEMBER = INVALID_NUMBER | {OPTED_OUT, LANDLINE}
_OUTCOMES = frozenset(
    {
        MessageStatus.DELIVERED,
        MessageStatus.UNDELIVERED,
        MessageStatus.FAILED,
        MessageStatus.ERROR,
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A text that failed, by the error and by where it stands among its batch's outcomes."""

    place: int
    code: int
    run_id: UUID
    tried_at: datetime
    heard_at: datetime
    because: UUID


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a batch's facts add to a campaign's outcomes."""

    organization_id: UUID
    outcomes: int = 0
    failures: tuple[Failure, ...] = ()


class Erring(NamedTuple):
    """An error among a campaign's outcomes: the number of the outcome, and the code."""

    outcome: int
    code: int


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign's newest outcomes, and whether its texts are kept back."""

    campaign_id: UUID
    organization_id: UUID
    sequence: int = 0
    status: CampaignStatus | None = None
    resumed: int = 0
    """The sequence of its newest resume."""
    resumed_at: datetime | None = None
    outcomes: int = 0
    """How many there were since then."""
    errors: tuple[Erring, ...] = ()
    alarmed: UUID | None = None
    """The run of which a spike was told since then: it is told once."""


@dataclass(frozen=True, slots=True)
class Spike:
    """One error came too often."""

    code: int
    errors: int
    among: int
    last: Failure


def follow(known: Campaign, event: CampaignEvent) -> Campaign:
    """Take a campaign's state; a resume that is new lets outcomes count from the start."""
    if isinstance(event, CampaignResumed) and event.sequence > known.resumed:
        known = replace(
            known,
            resumed=event.sequence,
            resumed_at=event.occurred_at,
            outcomes=0,
            errors=(),
            alarmed=None,
        )
    if event.sequence > known.sequence:
        known = replace(known, sequence=event.sequence, status=event.status)
    return known


def note(
    outcomes: dict[UUID, Outcomes], before: Message, after: Message, fact: Envelope[Fact]
) -> None:
    """Add what a message's change says of its campaign; only its first outcome says anything."""
    queued, told = after.queued, view(after)
    if queued is None or told is None or told.status not in _OUTCOMES or _came_out(before):
        return
    if told.status is MessageStatus.ERROR or told.error_code in ABOUT_THE_MEMBER:
        return
    if queued.campaign_id in _single_texts(queued.organization_id):
        return
    sum_ = outcomes.get(queued.campaign_id) or Outcomes(queued.organization_id)
    sum_ = replace(sum_, outcomes=sum_.outcomes + 1)
    if told.status is not MessageStatus.DELIVERED:
        failure = Failure(
            place=sum_.outcomes,
            code=told.error_code or NO_CODE,
            run_id=queued.run_id,
            tried_at=told.attempted_at or fact.event.occurred_at,
            heard_at=fact.event.occurred_at,
            because=fact.id,
        )
        sum_ = replace(sum_, failures=(*sum_.failures, failure))
    outcomes[queued.campaign_id] = sum_


def look_for_spike(
    campaign: Campaign, batch: Outcomes, *, errors: int, among: int
) -> tuple[Campaign, Spike | None]:
    """Take a batch's failures into a campaign that counts its outcomes already.

    Texts that were tried before the newest resume are of the trouble that was resumed from.
    """
    first = campaign.outcomes - batch.outcomes
    for failure in batch.failures:
        if campaign.alarmed == failure.run_id:
            continue
        if campaign.alarmed is not None:
            # Another run, such as one that sends what was missed, is trouble of its own.
            campaign = replace(campaign, alarmed=None, errors=())
        if campaign.resumed_at is not None and failure.tried_at <= campaign.resumed_at:
            continue
        outcome = max(first, 0) + failure.place
        newest = _within((*campaign.errors, Erring(outcome, failure.code)), outcome, among)
        campaign = replace(campaign, errors=newest)
        same = Counter(each.code for each in newest)[failure.code]
        if same >= errors:
            spike = Spike(failure.code, same, min(among, outcome), failure)
            return replace(campaign, errors=(), alarmed=failure.run_id), spike
    return campaign, None


def _within(errors: Iterable[Erring], outcome: int, among: int) -> tuple[Erring, ...]:
    return tuple(each for each in errors if each.outcome > outcome - among)


def _came_out(message: Message) -> bool:
    told = view(message)
    return told is not None and told.status in _OUTCOMES


@lru_cache(maxsize=1024)
def _single_texts(organization_id: UUID) -> frozenset[UUID]:
    """Name what stands in for the campaign of single texts: nothing that could be paused."""
    purposes = ("urgent", "first-look", "reply")
    return frozenset(single_texts_id(organization_id, purpose) for purpose in purposes)
