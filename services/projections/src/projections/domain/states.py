"""Facts of which the newest is all that is shown: each replaces the one before it whole."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from contracts.events.activity import (
    ActivitiesHeld,
    ActivityDeleted,
    ActivityEvent,
    ActivityRefused,
    ActivityUnknown,
    ActivityWritten,
)
from contracts.events.base import Event
from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDeleted,
    CampaignDrafted,
    CampaignEdited,
    CampaignEvent,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignScheduled,
    CampaignStarted,
    OccurrencesSkipped,
)
from contracts.events.consent import ConsentChanged, ReviewChanged
from contracts.events.message import MessageHeld
from contracts.events.run import RunHeld
from readmodels.views import ActivityState

CAMPAIGN_EVENTS = (
    CampaignDrafted,
    CampaignEdited,
    CampaignScheduled,
    CampaignStarted,
    CampaignPaused,
    CampaignResumed,
    CampaignCompleted,
    CampaignCancelled,
    CampaignArchived,
    CampaignRestored,
    CampaignDeleted,
)


class Kind(StrEnum):
    """What a state is of; the name of its table."""

    CAMPAIGN = "campaigns"
    SKIPPED = "skipped"
    RUN_HOLD = "run_holds"
    MESSAGE_HOLD = "message_holds"
    ACTIVITY = "activities"
    CONSENT = "consents"
    REVIEW = "reviews"
    ACTIVITIES_HELD = "activities_held"


KEYS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.CAMPAIGN: ("campaign_id",),
        Kind.SKIPPED: ("campaign_id", "first"),
        Kind.RUN_HOLD: ("run_id", "held_by"),
        Kind.MESSAGE_HOLD: ("message_id",),
        # What an effect's id derives from.
        Kind.ACTIVITY: ("message_id", "kind"),
        Kind.CONSENT: ("consent_id",),
        Kind.REVIEW: ("review_id",),
        Kind.ACTIVITIES_HELD: ("organization_id",),
    }
)
"""What tells one from another of its kind: an id first."""


class State(NamedTuple):
    """What something is now, by its sequence."""

    kind: Kind
    key: tuple[Any, ...]
    sequence: int
    values: Mapping[str, Any]


def newest(states: Iterable[State]) -> dict[Kind, list[State]]:
    """Return the newest of each, always in the same order.

    Writers that hold several of them never wait for each other in a circle then.
    """
    found: dict[Kind, dict[tuple[Any, ...], State]] = {}
    for each in states:
        of_its_kind = found.setdefault(each.kind, {})
        known = of_its_kind.get(each.key)
        if known is None or known.sequence < each.sequence:
            of_its_kind[each.key] = each
    return {kind: sorted(found[kind].values(), key=_in_order) for kind in Kind if kind in found}


def _in_order(state: State) -> tuple[Any, ...]:
    # An id by its number: ids themselves compare slowly.
    first, *others = state.key
    return first.int, *others


def _campaign(event: CampaignEvent) -> dict[str, Any]:
    return {
        "campaign_id": event.campaign_id,
        "name": event.definition.name,
        "kind": event.definition.kind.value,
        "status": event.status.value,
    }


def _skipped(event: OccurrencesSkipped) -> dict[str, Any]:
    return {
        "campaign_id": event.campaign_id,
        "first": event.first,
        "last": event.last,
        "occurrences": event.occurrences,
        "at": event.occurred_at,
    }


def _run_held(event: RunHeld) -> dict[str, Any]:
    return {
        "run_id": event.run_id,
        "held_by": event.held_by.value,
        "messages": event.messages,
        "segments": event.segments,
        "left_out": event.left_out,
        "until": event.until,
        "error_code": event.error_code,
        "at": event.occurred_at,
    }


def _message_held(event: MessageHeld) -> dict[str, Any]:
    return {"message_id": event.message_id, "until": event.until, "place": event.place}


def _effect(
    event: ActivityEvent,
    state: ActivityState,
    *,
    seqn: str | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    return {
        "run_id": event.run_id,
        "message_id": event.message_id,
        "kind": event.kind,
        "imis_id": event.imis_id,
        "state": state.value,
        "seqn": seqn,
        "reason": reason,
        "at": event.occurred_at,
    }


def _written(event: ActivityWritten) -> dict[str, Any]:
    return _effect(event, ActivityState.WRITTEN, seqn=event.seqn)


def _refused(event: ActivityRefused) -> dict[str, Any]:
    return _effect(event, ActivityState.REFUSED, reason=event.reason)


def _unknown(event: ActivityUnknown) -> dict[str, Any]:
    return _effect(event, ActivityState.UNKNOWN, reason=event.reason)


def _deleted(event: ActivityDeleted) -> dict[str, Any]:
    return _effect(event, ActivityState.DELETED, seqn=event.seqn)


def _consent(event: ConsentChanged) -> dict[str, Any]:
    return {
        "consent_id": event.consent_id,
        "number": event.number,
        "from_number": event.from_number,
        "consent": event.consent.value,
        "cause": event.cause.value,
        "word": event.word,
        "by": event.by,
        "changed_at": event.occurred_at,
    }


def _review(event: ReviewChanged) -> dict[str, Any]:
    return {
        "review_id": event.review_id,
        "number": event.number,
        "from_number": event.from_number,
        "text": event.text,
        "received_at": event.received_at,
        "status": event.status.value,
        "by": event.by,
    }


def _activities_held(event: ActivitiesHeld) -> dict[str, Any]:
    return {
        "settings_sequence": event.settings_sequence,
        "reason": event.reason,
        "since": event.occurred_at,
    }


_STATES: Mapping[type[Event], tuple[Kind, Callable[[Any], dict[str, Any]]]] = MappingProxyType(
    {
        **dict.fromkeys(CAMPAIGN_EVENTS, (Kind.CAMPAIGN, _campaign)),
        OccurrencesSkipped: (Kind.SKIPPED, _skipped),
        RunHeld: (Kind.RUN_HOLD, _run_held),
        MessageHeld: (Kind.MESSAGE_HOLD, _message_held),
        ActivityWritten: (Kind.ACTIVITY, _written),
        ActivityRefused: (Kind.ACTIVITY, _refused),
        ActivityUnknown: (Kind.ACTIVITY, _unknown),
        ActivityDeleted: (Kind.ACTIVITY, _deleted),
        ConsentChanged: (Kind.CONSENT, _consent),
        ReviewChanged: (Kind.REVIEW, _review),
        ActivitiesHeld: (Kind.ACTIVITIES_HELD, _activities_held),
    }
)
STATE_EVENTS = frozenset(_STATES)
"""The types that say what something is now."""


def state_of(event: Event) -> State:
    """Return the state that an event results in."""
    kind, values_of = _STATES[type(event)]
    values = values_of(event)
    values["organization_id"], values["sequence"] = event.organization_id, event.sequence
    key = tuple([values[name] for name in KEYS[kind]])
    return State(kind, key, event.sequence, values)
