"""What the gateway keeps, as its handlers see it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested
from contracts.events.message import Resolution


@dataclass(frozen=True, slots=True)
class StaffSession:
    """A signed-in staff member; `token_hash` is all that is kept of the bearer token."""

    token_hash: str
    organization_id: UUID
    user: str
    expires_at: datetime
    imis_token: str
    """The access token that iMIS gave, sealed."""
    imis_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, kept so that a repeat of the request gets the same one."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer to an Idempotency-Key's first request, and what that request was."""

    request_hash: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Preview:
    """A preview that was asked for, and what came of it so far."""

    request: AudiencePreviewRequested
    result: AudiencePreviewed | None
    rows_read: int = 0
    rows_expected: int | None = None


def question_of(request: AudiencePreviewRequested) -> str:
    """Stand for all that a preview's answer depends on, but for the audience's rows."""
    asked = request.model_dump_json(
        exclude={"preview_id", "campaign_id", "occurred_at", "sequence", "organization_id"}
    )
    return hashlib.sha256(asked.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decision:
    """What an operator decided about a message, and in which of its states that was."""

    sequence: int
    about: int
    resolution: Resolution
    sid: str | None = None
