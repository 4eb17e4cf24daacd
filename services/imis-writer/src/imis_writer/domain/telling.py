"""What the others are told of an effect; its events count up by themselves. Pure."""

from datetime import datetime
from typing import Any

from contracts.events.activity import (
    ActivityDeleted,
    ActivityRefused,
    ActivityUnknown,
    ActivityWritten,
)
from imis_writer.domain.effects import Effect


def written(effect: Effect, seqn: str, *, at: datetime) -> ActivityWritten:
    """Tell where iMIS has it."""
    date = effect.transaction_date
    return ActivityWritten(seqn=seqn, transaction_date=date, **_of(effect, at))


def refused(effect: Effect, reason: str, *, at: datetime) -> ActivityRefused:
    """Tell why iMIS doesn't take it."""
    return ActivityRefused(reason=reason, **_of(effect, at))


def unknown(effect: Effect, reason: str, *, at: datetime) -> ActivityUnknown:
    """Tell that nobody knows whether iMIS has it."""
    return ActivityUnknown(reason=reason, **_of(effect, at))


def deleted(effect: Effect, *, at: datetime) -> ActivityDeleted:
    """Tell that iMIS has it no more; without a SEQN: that it never had it, and needn't."""
    return ActivityDeleted(seqn=effect.seqn or "", **_of(effect, at))


def _of(effect: Effect, at: datetime) -> dict[str, Any]:
    return {
        "organization_id": effect.organization_id,
        "occurred_at": at,
        "sequence": effect.sequence + 1,
        "effect_id": effect.effect_id,
        "run_id": effect.run_id,
        "campaign_id": effect.campaign_id,
        "message_id": effect.message_id,
        "kind": effect.kind.value,
        "imis_id": effect.imis_id,
    }
