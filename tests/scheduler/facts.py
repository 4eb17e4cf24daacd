"""A campaign's life as the gateway tells it, for tests of the timers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.campaign import (
    Audience,
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDefinition,
    CampaignDeleted,
    CampaignDrafted,
    CampaignEdited,
    CampaignEvent,
    CampaignKind,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignScheduled,
    CampaignStarted,
    CampaignStatus,
    Missed,
    Purpose,
    Recurrence,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)

ORGANIZATION = ids.organization_id("demo")
STATES: dict[type[CampaignEvent], CampaignStatus] = {
    CampaignDrafted: CampaignStatus.DRAFT,
    CampaignScheduled: CampaignStatus.SCHEDULED,
    CampaignStarted: CampaignStatus.SENDING,
    CampaignPaused: CampaignStatus.PAUSED,
    CampaignResumed: CampaignStatus.SCHEDULED,
    CampaignCancelled: CampaignStatus.CANCELLED,
    CampaignCompleted: CampaignStatus.COMPLETED,
    CampaignArchived: CampaignStatus.ARCHIVED,
    CampaignRestored: CampaignStatus.CANCELLED,
    CampaignDeleted: CampaignStatus.DELETED,
}
"""What each step results in; an edit leaves the state as it is."""


def at(text: str) -> datetime:
    """A moment in March 2027, such as `03 10:00`."""
    return datetime.fromisoformat(f"2027-03-{text}").replace(tzinfo=UTC)


def every_day(
    time: str = "10:00",
    *,
    rule: str = "FREQ=DAILY",
    time_zone: str = "UTC",
    missed: Missed = Missed.RUN_ONCE,
) -> Recurrence:
    starts = datetime.fromisoformat(f"2027-03-01T{time}")
    return Recurrence(rule=rule, starts=starts, time_zone=time_zone, missed=missed)


class Author:
    """Somebody who does things to one campaign, each a new event."""

    def __init__(self, recurrence: Recurrence | None = None, **definition: Any) -> None:
        recurring = CampaignKind.ONE_TIME if recurrence is None else CampaignKind.RECURRING
        self.campaign_id: UUID = uuid4()
        self.definition = CampaignDefinition(
            name="Dues",
            audience=Audience(iqa_path="$/q", phone_column="Phone", id_column="Id"),
            template="Hello",
            kind=recurring,
            recurrence=recurrence,
            **definition,
        )
        self.sequence = 0
        self.status = CampaignStatus.DRAFT
        self.due_at: datetime | None = None

    def does(
        self, kind: type[CampaignEvent], moment: str | datetime, **changes: Any
    ) -> Envelope[CampaignEvent]:
        """Say what was done, and what the campaign is now."""
        self.sequence += 1
        self.status = changes.pop("status", STATES.get(kind, self.status))
        self.due_at = changes.pop("due_at", self.due_at)
        self.definition = self.definition.model_copy(update=changes)
        return seal(
            kind(
                type=kind.model_fields["type"].default,
                organization_id=ORGANIZATION,
                occurred_at=at(moment) if isinstance(moment, str) else moment,
                sequence=self.sequence,
                campaign_id=self.campaign_id,
                status=self.status,
                definition=self.definition,
                launch=1,
                due_at=self.due_at,
            )
        )

    def schedules(self, moment: str = "01 09:00", **changes: Any) -> Envelope[CampaignEvent]:
        return self.does(CampaignScheduled, moment, **changes)

    def edits(self, moment: str, **changes: Any) -> Envelope[CampaignEvent]:
        return self.does(CampaignEdited, moment, **changes)


def promotional() -> dict[str, Any]:
    """What is only passed on to the run."""
    return {"purpose": Purpose.PROMOTIONAL, "log_subject": "Dues", "accept_empty": True}


def settings_changed(**changes: Any) -> Envelope[OrganizationSettingsChanged]:
    settings = OrganizationSettings(
        name="Demo",
        cloud_id="demo",
        locale="en-GB",
        leave_out_landlines=True,
        numbers=(SendingNumber(number="+18885550100", segments_per_second=3),),
        imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
        twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted="x"),
    )
    return seal(
        OrganizationSettingsChanged(
            organization_id=ORGANIZATION,
            occurred_at=at("01 00:00"),
            sequence=1,
            settings=settings.model_copy(update=changes),
        )
    )
