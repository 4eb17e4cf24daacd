"""Campaigns within a transaction: held, expected, refused, saved."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent, CampaignStatus
from gateway.domain.refusals import Fault, InConflict, NotThere, Outdated, Unacceptable
from gateway.domain.transitions import Refused
from gateway.ports import Work

Expected = Callable[[CampaignEvent], bool]
"""Whether a version of the campaign is the one that the caller has seen."""
Next = TypeVar("Next", bound=CampaignEvent | None)
SAME_MOMENT = "Somebody changed the campaign at the same moment. Look, and repeat."


async def held(work: Work, organization_id: UUID, campaign_id: UUID) -> Envelope[CampaignEvent]:
    """Return a campaign that nobody else can change until the transaction ends."""
    return there(await work.campaigns.get(organization_id, campaign_id, hold=True))


def there(known: Envelope[CampaignEvent] | None) -> Envelope[CampaignEvent]:
    """Return a campaign that is there; a deleted one isn't."""
    if known is None or known.event.status is CampaignStatus.DELETED:
        raise NotThere("There is no such campaign.")
    return known


def expect(known: CampaignEvent, expected: Expected) -> None:
    """Refuse to change another version than the caller has seen."""
    if not expected(known):
        raise Outdated("The campaign has changed since you read it.")


def accepted(outcome: Next | Refused) -> Next:
    """Return the next event; a refusal of the aggregate is a conflict to who asked."""
    if isinstance(outcome, Refused):
        raise InConflict(outcome.reason)
    return outcome


def refuse(found: Sequence[Fault], detail: str) -> None:
    """Name everything that is wrong at once, if anything is."""
    if found:
        raise Unacceptable(found, detail)


async def save(work: Work, envelope: Envelope[CampaignEvent]) -> None:
    """Keep a campaign's next event, and tell it."""
    await work.campaigns.save([envelope])
    work.outbox.publish_sealed(envelope)
