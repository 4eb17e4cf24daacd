"""What the audience service does with an event: it writes down what is to be done, no more."""

from collections.abc import Sequence
from datetime import datetime

from audience.ports import Intake
from contracts.envelope import Envelope
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignDue


async def take_runs(runs: Sequence[Envelope[CampaignDue]], *, at: datetime, intake: Intake) -> None:
    """Take each run once, by its campaign and occurrence, however often it comes."""
    await intake.take(runs, at=at)


async def take_previews(
    requests: Sequence[Envelope[AudiencePreviewRequested]], *, at: datetime, intake: Intake
) -> None:
    """Take each preview once."""
    await intake.take(requests, at=at)
