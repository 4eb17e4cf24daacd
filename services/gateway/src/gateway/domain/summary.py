"""What a campaign would take if it ran: the summary before saving (TM-10); pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from contracts.events.audience import AudiencePreviewed
from contracts.events.organization import OrganizationSettings


@dataclass(frozen=True, slots=True)
class Summary:
    """Who would be sent to, in how many segments, and how long that takes."""

    state: Literal["counting", "done", "failed"]
    contacts_returned: int = 0
    will_be_sent_to: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    estimated_segments: int = 0
    messages_by_segments: dict[int, int] = field(default_factory=dict)
    lacking_values: int = 0
    ucs2_messages: int = 0
    segments_left_today: int | None = None
    segments_left_for_run: int | None = None
    estimated_seconds: float = 0.0
    estimated_begin: datetime | None = None
    estimated_end: datetime | None = None
    failure: str | None = None


def summarise(
    preview: AudiencePreviewed | None,
    settings: OrganizationSettings,
    *,
    from_number: str,
    used_today: int,
    due_at: datetime | None,
    at: datetime,
) -> Summary:
    """Work out the summary; it is "counting" until the preview has come."""
    if preview is None:
        return Summary(state="counting")
    if preview.failure is not None:
        return Summary(state="failed", failure=preview.failure)
    rate = next((n.segments_per_second for n in settings.numbers if n.number == from_number), 1.0)
    begin = max(due_at or at, at)
    seconds = round(preview.segments / rate, 3)
    return Summary(
        state="done",
        contacts_returned=preview.contacts_returned,
        will_be_sent_to=preview.recipients,
        excluded={str(reason): count for reason, count in preview.excluded.items()},
        estimated_segments=preview.segments,
        messages_by_segments=dict(preview.messages_by_segments),
        lacking_values=preview.lacking_values,
        ucs2_messages=preview.ucs2_messages,
        segments_left_today=max(0, settings.segments_per_day - used_today),
        segments_left_for_run=settings.segments_per_run,
        estimated_seconds=seconds,
        estimated_begin=begin,
        estimated_end=begin + timedelta(seconds=seconds),
    )
