"""Ids: things have derived ones, events have drawn ones.

A derived id is a function of what the thing is, so a repeat finds the same row. An event's id is
drawn once, in the transaction that makes the event, and stays with its outbox row.
"""

import os
import time
from datetime import datetime
from uuid import UUID, uuid5

_NAMESPACE = UUID("6f1f5f0e-6f0b-5b5e-9d52-0c8d5d5a7c11")
_RANDOM_BITS = (1 << 74) - 1
_HIGH = 1 << 12
_HIGH_MASK = _HIGH - 1
_LOW_MASK = (1 << 62) - 1


def _derive(kind: str, *parts: object) -> UUID:
    return uuid5(_NAMESPACE, "\x1f".join((kind, *map(str, parts))))


def event_id() -> UUID:
    """Draw a UUIDv7 (RFC 9562): time-ordered to the millisecond, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big") & _RANDOM_BITS
    value = (milliseconds << 80) | (7 << 76) | ((random >> 62) << 64) | (2 << 62)
    return UUID(int=value | (random & _LOW_MASK))


def first_event_id(at: datetime) -> UUID:
    """Return an id before those of all events that are drawn from a moment on."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def organization_id(cloud_id: str) -> UUID:
    """Name the tenant behind a Cloud ID, whatever its case."""
    return _derive("organization", cloud_id.strip().casefold())


def run_id(campaign_id: UUID, occurrence: str) -> UUID:
    """Name one run: a campaign and its occurrence, such as `launch:1`."""
    return _derive("run", campaign_id, occurrence)


def resend_run_id(earlier: UUID, number: int) -> UUID:
    """Name the run that stands in for what an earlier one missed, the first time or a later one."""
    return _derive("resend", earlier, number)


def single_texts_id(organization: UUID, purpose: str) -> UUID:
    """Name what stands in for the campaign of texts that belong to none: `urgent`, `reply`."""
    return _derive("single texts", organization, purpose)


def single_run_id(organization: UUID, purpose: str, key: str) -> UUID:
    """Name the run of one such text, by the Idempotency-Key or by what it answers."""
    return _derive("single text", organization, purpose, key)


def consent_id(organization: UUID, fingerprint: str) -> UUID:
    """Name a pair of numbers by their fingerprint under a secret, never by the numbers."""
    return _derive("consent", organization, fingerprint)


def recipient_id(run: UUID, row_number: int) -> UUID:
    """Name one recipient: a run and the number of the stored row."""
    return _derive("recipient", run, row_number)


def message_id(recipient: UUID, key: str = "text") -> UUID:
    """Name one message: a recipient and the message's key within the campaign."""
    return _derive("message", recipient, key)


def effect_id(message: UUID, kind: str) -> UUID:
    """Name one effect in iMIS: a message and the kind, such as `TEXTMSG`."""
    return _derive("effect", message, kind)


def callback_id(sid: str, status: str, error_code: str) -> UUID:
    """Name one fact that Twilio told: the same status of the same message is the same event."""
    return _derive("callback", sid, status, error_code)


def inbound_id(sid: str) -> UUID:
    """Name one text that a member sent to us."""
    return _derive("inbound", sid)
