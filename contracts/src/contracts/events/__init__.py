"""Every event type, by the string that names it in a record's header."""

from contracts.events.activity import (
    ActivitiesHeld,
    ActivityDeleted,
    ActivityRefused,
    ActivityRetryRequested,
    ActivityUnknown,
    ActivityWritten,
)
from contracts.events.audience import (
    AudienceAwaited,
    AudienceFailed,
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
    AudienceRowsUploaded,
    RecipientRejected,
    RecipientsResolved,
)
from contracts.events.base import Event
from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignCompleted,
    CampaignDeleted,
    CampaignDrafted,
    CampaignDue,
    CampaignEdited,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignScheduled,
    CampaignStarted,
    OccurrencesSkipped,
)
from contracts.events.consent import (
    ConsentChanged,
    ConsentDecided,
    OptOutsImported,
    ReviewChanged,
    ReviewDecided,
)
from contracts.events.message import (
    MessageHeld,
    MessageQueued,
    MessageRequested,
    MessageResolutionDecided,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    ReplyRequested,
)
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import (
    TwilioCallbackReceived,
    TwilioMessageReceived,
    TwilioStatusPolled,
)
from contracts.events.run import (
    RunAlarmRaised,
    RunCancelRequested,
    RunCompleted,
    RunFailed,
    RunHeld,
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
    ActivitiesHeld,
    ActivityDeleted,
    ActivityRetryRequested,
    ActivityUnknown,
    AudienceAwaited,
    AudiencePreviewProgressed,
    AudienceRowsUploaded,
    CampaignArchived,
    CampaignCancelled,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    OccurrencesSkipped,
    ConsentDecided,
    OptOutsImported,
    ReviewChanged,
    ReviewDecided,
    MessageHeld,
    MessageRequested,
    ReplyRequested,
    RunCancelRequested,
    RunHeld,
)


def type_string(event: type[Event]) -> str:
    """Return the string that names an event type on the wire, such as `message.queued.v1`."""
    return str(event.model_fields["type"].default)


BY_TYPE: dict[str, type[Event]] = {type_string(event): event for event in ALL_EVENTS}
