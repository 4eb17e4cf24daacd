"""Every event type, by the string that names it in a record's header."""

from contracts.events.activity import ActivityRefused, ActivityWritten
from contracts.events.audience import (
    AudienceFailed,
    AudiencePreviewed,
    AudiencePreviewRequested,
    RecipientRejected,
    RecipientsResolved,
)
from contracts.events.base import Event
from contracts.events.campaign import (
    CampaignCompleted,
    CampaignDeleted,
    CampaignDrafted,
    CampaignDue,
    CampaignEdited,
    CampaignScheduled,
    CampaignStarted,
)
from contracts.events.consent import ConsentChanged
from contracts.events.message import (
    MessageQueued,
    MessageResolutionDecided,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
)
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import (
    TwilioCallbackReceived,
    TwilioMessageReceived,
    TwilioStatusPolled,
)
from contracts.events.run import (
    RunAlarmRaised,
    RunCompleted,
    RunFailed,
    RunResendRequested,
    RunResent,
    RunStarted,
)

ALL_EVENTS: tuple[type[Event], ...] = (
    OrganizationSettingsChanged,
    CampaignDrafted,
    CampaignEdited,
    CampaignScheduled,
    CampaignStarted,
    CampaignCompleted,
    CampaignDeleted,
    CampaignDue,
    AudiencePreviewRequested,
    AudiencePreviewed,
    RecipientsResolved,
    AudienceFailed,
    RecipientRejected,
    MessageQueued,
    RecipientExcluded,
    MessageSubmitted,
    TwilioCallbackReceived,
    TwilioMessageReceived,
    TwilioStatusPolled,
    ConsentChanged,
    MessageStatusChanged,
    MessageResolutionDecided,
    RunStarted,
    RunCompleted,
    RunFailed,
    RunAlarmRaised,
    RunResendRequested,
    RunResent,
    ActivityWritten,
    ActivityRefused,
)


def type_string(event: type[Event]) -> str:
    """Return the string that names an event type on the wire, such as `message.queued.v1`."""
    return str(event.model_fields["type"].default)


BY_TYPE: dict[str, type[Event]] = {type_string(event): event for event in ALL_EVENTS}
