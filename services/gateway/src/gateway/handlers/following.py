"""What runs do to their campaigns: followed from the log, once each."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from contracts.envelope import Envelope
from contracts.envelope import seal as sealed
from contracts.events.campaign import CampaignEvent
from contracts.events.run import (
    HeldBy,
    RunAlarm,
    RunAlarmRaised,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunHeld,
    RunStarted,
)
from gateway.domain import following as steps
from gateway.ports import Campaigns, Clock, Outbox
from twilio_client.explained import advice, meaning

_Step = Callable[[CampaignEvent, datetime], CampaignEvent | None]
_UNKNOWN_CAUSE = "Twilio refused the texts for a cause that every further one would meet."
_CHECK = "Check the sending number and the Twilio account in the settings, then resume."


async def follow_runs(
    events: Sequence[Envelope[RunEvent | RunHeld]],
    *,
    campaigns: Campaigns,
    outbox: Outbox,
    clock: Clock,
) -> None:
    """Take what runs tell over into their campaigns; a repeat or what is late changes nothing."""
    states = await campaigns.held([each.event.campaign_id for each in events])
    ours = [each for each in events if _is_of(each.event, states)]
    heard = await campaigns.heard([(each.event.run_id, each.event.source) for each in ours])
    followed: list[Envelope[CampaignEvent]] = []
    for each in ours:
        told = each.event
        place = (told.run_id, told.source)
        if told.sequence <= heard.get(place, 0):
            continue
        heard[place] = told.sequence
        changed = _step_of(told)(states[told.campaign_id].event, clock())
        if changed is not None:
            states[told.campaign_id] = envelope = sealed(changed, because=each.id)
            followed.append(envelope)
    await campaigns.hear(heard)
    await campaigns.save(followed)
    for envelope in followed:
        outbox.publish_sealed(envelope)


def _is_of(told: RunEvent | RunHeld, states: dict[UUID, Envelope[CampaignEvent]]) -> bool:
    known = states.get(told.campaign_id)
    return known is not None and known.event.organization_id == told.organization_id


def _step_of(told: RunEvent | RunHeld) -> _Step:
    """Return what an event does to its campaign."""
    match told:
        case RunStarted():
            return lambda known, at: steps.start(known, told.run_id, at=at, by=told.source)
        case RunCompleted() | RunFailed():
            return lambda known, at: steps.complete(known, told.run_id, at=at, by=told.source)
        case RunAlarmRaised(alarm=RunAlarm.ERROR_SPIKE):
            reason = f"{told.detail} {told.advice}".strip()
        case RunHeld(held_by=HeldBy.CONFIGURATION):
            reason = _cause_of(told.error_code)
        case _:
            return lambda _known, _at: None
    return lambda known, at: steps.hold(known, told.run_id, reason=reason, at=at, by=told.source)


def _cause_of(code: int | None) -> str:
    if code is None:
        return f"{_UNKNOWN_CAUSE} {_CHECK}"
    # Of a code that nobody explained, both say where to read of it.
    said = dict.fromkeys((meaning(code), advice(code)))
    return f"{code}: {' '.join(each for each in said if each)}"
