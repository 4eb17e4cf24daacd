"""What the audience service does with an event: it writes down what is to be done, no more."""

from collections.abc import Sequence
from datetime import datetime

from audience.ports import Intake, Uploads
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewRequested, AudienceRowsUploaded
from contracts.events.campaign import CampaignDue


async def take_runs(runs: Sequence[Envelope[CampaignDue]], *, at: datetime, intake: Intake) -> None:
    """Take each run once, by its campaign and occurrence, however often it comes."""
    await intake.take(runs, at=at)


async def take_previews(
    requests: Sequence[Envelope[AudiencePreviewRequested]], *, at: datetime, intake: Intake
) -> None:
    """Take each preview once."""
    await intake.take(requests, at=at)


async def take_uploads(
    parts: Sequence[Envelope[AudienceRowsUploaded]], *, uploads: Uploads
) -> None:
    """Keep each part of an uploaded list once."""
    await uploads.take(parts)
