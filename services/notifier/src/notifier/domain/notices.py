"""What is to be told, each thing once: a notice's id derives from what it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b0d6ea2-5f2b-5a64-8c0c-9a8f1d6a3e57")

Facts = Mapping[str, Any]
"""JSON: what the mail's words need beyond the ids."""


def mail_id(kind: str, *parts: object) -> UUID:
    """Name one mail by what it is about: the same thing told again is the same mail."""
    return uuid5(_NAMESPACE, "\x1f".join((kind, *map(str, parts))))


class Kind(StrEnum):
    """What a mail is about."""

    REPORT = "report"
    LATE_REPORT = "late_report"
    """The report once more, since late statuses changed it (TM-4)."""
    RUN_FAILED = "run_failed"
    DOES_NOT_ADD_UP = "does_not_add_up"
    STALLED = "stalled"
    ERROR_SPIKE = "error_spike"
    AUDIENCE_EMPTY = "audience_empty"
    AUDIENCE_SHRANK = "audience_shrank"
    DAY_LIMIT = "day_limit"
    RUN_LIMIT = "run_limit"
    CONFIGURATION = "configuration"
    PAUSED = "paused"
    """A service paused a campaign, and nothing else was told of the cause."""
    IMIS_REFUSED = "imis_refused"
    """The organisation's iMIS doesn't take our account: runs or activities wait (X-20)."""
    DID_NOT_RUN = "did_not_run"
    SKIPPED = "skipped"
    ACTIVITIES_REFUSED = "activities_refused"
    REVIEWS = "reviews"
    """Texts that may be a wish to be left alone wait for a person (TM-20)."""


REPORTS = frozenset({Kind.REPORT, Kind.LATE_REPORT})
"""What goes to the campaign's address alone, and is never withheld for its number."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that somebody is to be told."""

    mail_id: UUID
    kind: Kind
    organization_id: UUID
    occurred_at: datetime
    campaign_id: UUID | None = None
    run_id: UUID | None = None
    facts: Facts = field(default_factory=dict)
