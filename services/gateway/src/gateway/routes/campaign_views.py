"""How campaigns look in answers."""

from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
    CampaignKind,
    CampaignStatus,
    Missed,
    Mode,
    Purpose,
    WriteTo,
)
from gateway.domain.campaign import present_run
from timing.recurrence import Occurrence

_REASONED = frozenset({"paused", "cancelled"})
"""The steps that have a reason of their own; others carry on the pause's."""


class AudienceView(BaseModel):
    """Who gets the text."""

    iqa_path: str
    upload_id: UUID | None
    phone_column: str
    id_column: str
    zone_column: str
    prompts: list[str]
    answers: dict[str, str]


class RecurrenceView(BaseModel):
    """When a recurring campaign runs."""

    rule: str
    starts: datetime | None = Field(description="Local time, without an offset.")
    time_zone: str
    missed: Missed


class CampaignView(BaseModel):
    """A campaign as it is now."""

    campaign_id: UUID
    status: CampaignStatus
    name: str
    email: str | None
    audience: AudienceView | None
    columns: list[str]
    """The merge fields: the columns of the audience when it was last read."""
    template: str
    mode: Mode
    write_to: WriteTo
    log_subject: str
    from_number: str | None
    one_text_per_phone: bool
    kind: CampaignKind
    purpose: Purpose
    recurrence: RecurrenceView | None
    report_late_changes: bool
    accept_empty: bool
    due_at: AwareDatetime | None
    run_id: UUID | None
    """Of a one-time campaign: the run of its newest launch."""
    under_way: list[UUID]
    """The runs that began and are not over."""
    reason: str
    """Why it is paused or was cancelled."""
    changed_at: AwareDatetime
    changed_by: str

    @classmethod
    def of(cls, campaign: CampaignEvent) -> "CampaignView":
        """Show a campaign."""
        shown: dict[str, Any] = campaign.definition.model_dump(mode="json")
        return cls(
            campaign_id=campaign.campaign_id,
            status=campaign.status,
            due_at=campaign.due_at,
            run_id=present_run(campaign),
            under_way=list(campaign.under_way),
            reason=campaign.reason,
            changed_at=campaign.occurred_at,
            changed_by=campaign.by,
            **shown,
        )


class CampaignList(BaseModel):
    """Some campaigns, the newest first."""

    items: list[CampaignView]
    next_cursor: str | None = Field(description="Give it back as `cursor` for the next ones.")


class StepView(BaseModel):
    """One step of a campaign's life."""

    number: int
    """The campaign's version since this step; its ETag."""
    what: str = Field(examples=["paused"])
    at: AwareDatetime
    by: str
    """The iMIS login of who did it, or the part of the system that did."""
    status: CampaignStatus
    due_at: AwareDatetime | None
    """When it was to run since this step; a recurring campaign's recurrence says it."""
    reason: str
    changed: list[str] = Field(examples=[["template"]])
    """The fields that are not as they were before."""


class History(BaseModel):
    """Some of a campaign's life, the oldest first."""

    items: list[StepView]
    next_after: int | None = Field(description="Give it back as `after` for the next ones.")

    @classmethod
    def of(cls, told: list[CampaignEvent], *, after: int, limit: int) -> "History":
        """Show steps; where there is one before the first, it comes along to compare with."""
        steps = [each for each in told if each.sequence > after]
        before = [*told[: len(told) - len(steps)][-1:], *steps]
        shown = steps[:limit]
        previous = {each.sequence: one.definition for one, each in pairwise(before)}
        return cls(
            items=[_step(each, previous.get(each.sequence)) for each in shown],
            next_after=shown[-1].sequence if len(steps) > limit else None,
        )


class OccurrenceView(BaseModel):
    """A time at which a recurring campaign runs."""

    local: str = Field(examples=["2027-01-31T08:10:00"])
    at: AwareDatetime


class Occurrences(BaseModel):
    """The next times, and the rule in words."""

    description: str = Field(examples=["every month on the 31st at 08:10, New York time"])
    items: list[OccurrenceView]

    @classmethod
    def of(cls, description: str, found: list[Occurrence]) -> "Occurrences":
        """Show times."""
        items = [OccurrenceView(local=each.nominal, at=each.at) for each in found]
        return cls(description=description, items=items)


def _step(event: CampaignEvent, before: CampaignDefinition | None) -> StepView:
    after = event.definition
    changed = (
        []
        if before is None
        else [
            name
            for name in type(after).model_fields
            if getattr(after, name) != getattr(before, name)
        ]
    )
    what = event.type.split(".")[1]
    return StepView(
        number=event.sequence,
        what=what,
        at=event.occurred_at,
        by=event.by,
        status=event.status,
        due_at=event.due_at,
        reason=event.reason if what in _REASONED else "",
        changed=changed,
    )
