"""Effects as rows, and rows as effects."""

from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam

from contracts.events.campaign import Mode
from imis_writer.adapters.tables import EFFECTS
from imis_writer.domain.effects import About, Effect, Kind

_C = EFFECTS.c
EFFECT_COLUMNS = (
    _C.message_id,
    _C.about,
    _C.kind,
    _C.organization_id,
    _C.run_id,
    _C.campaign_id,
    _C.imis_id,
    _C.to_number,
    _C.text,
    _C.subject,
    _C.mode,
    _C.transaction_date,
    _C.because,
    _C.delivered,
    _C.sequence,
    _C.attempts,
    _C.refusals,
    _C.looks,
    _C.seqn,
    _C.log_id,
)


def is_keyed() -> ColumnElement[bool]:
    """Return the condition that finds one effect by `key_message` and `key_about`."""
    return and_(_C.message_id == bindparam("key_message"), _C.about == bindparam("key_about"))


def effect_of(row: Any) -> Effect:
    """Read an effect that has all its facts."""
    return Effect(
        message_id=row.message_id,
        about=About(row.about),
        kind=Kind(row.kind),
        organization_id=row.organization_id,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        imis_id=row.imis_id,
        to=row.to_number,
        text=row.text or "",
        subject=row.subject or "",
        mode=Mode(row.mode),
        transaction_date=row.transaction_date,
        because=row.because,
        delivered=row.delivered,
        sequence=row.sequence,
        attempts=row.attempts,
        refusals=row.refusals,
        looks=row.looks,
        seqn=row.seqn,
        log_id=row.log_id,
    )
