"""What keeps a campaign's messages back, and what puts an end to them (X-6, X-7)."""

from collections.abc import Mapping
from enum import StrEnum

from contracts.events.campaign import CampaignDeleted, CampaignEvent, CampaignStatus

EVERYTHING = "*"
"""The name under which the whole organisation is stopped."""
UNHEARD = -1
"""The sequence of what nothing has been heard of yet."""

Stops = Mapping[str, int]
"""What was stopped, told past the log: a campaign's id, a run's or `*`, and the event's sequence.

It is there before whoever asked for the stop has an answer, so that a log that lags delays none.
"""


class Control(StrEnum):
    """What becomes of a campaign's waiting messages."""

    SENDING = "sending"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    """For good: nothing of it is ever sent again."""


def control_of(event: CampaignEvent) -> Control:
    """Say what an event means for the campaign's messages."""
    if event.status is CampaignStatus.PAUSED:
        return Control.PAUSED
    if event.status is CampaignStatus.CANCELLED or event.returns_to is CampaignStatus.CANCELLED:
        return Control.CANCELLED
    if isinstance(event, CampaignDeleted) and event.cancels_runs:
        return Control.CANCELLED
    return Control.SENDING


def stopped(stops: Stops, name: object, *, known: int) -> bool:
    """Whether something is stopped by an event newer than the one that the tables know.

    A newer one that they know, such as a resume, outdoes the stop; nobody needs to take it back.
    """
    return stops.get(str(name), UNHEARD) > known
