"""The Campaign aggregate: what may happen to a campaign, and what it is afterwards; pure.

A campaign's state is its newest event. Each function returns the next event, None when nothing
changes, or why it is refused. What its runs do to it stands in `gateway.domain.following`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from uuid import UUID

from contracts.events.campaign import (
    CampaignArchived,
    CampaignCancelled,
    CampaignDefinition,
    CampaignDeleted,
    CampaignDrafted,
    CampaignEdited,
    CampaignEvent,
    CampaignPaused,
    CampaignRestored,
    CampaignResumed,
    CampaignScheduled,
    CampaignStatus,
)
from contracts.ids import run_id
from gateway.domain.recurring import goes_on, recurring
from gateway.domain.transitions import (
    HELD_AFTER_ITS_END,
    KEPT_FROM_RUNNING,
    Command,
    Move,
    Refused,
    move_of,
)

STARTING = timedelta(minutes=15)
"""How long after its time a campaign counts as being started; afterwards something is stuck."""

CLOSES = timedelta(seconds=5)
"""How long before its time a schedule can't be changed any more.

A change that is answered must reach the scheduler before it starts the run; this is the time that
it has for that. What stops a campaign needs no such time: the sender heeds it at once.
"""

LONGEST_NAME = 200
OVER = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED})
"""What is put away by itself after a time."""
C = TypeVar("C", bound=CampaignEvent)
FatesOfRuns = Literal["finish", "cancel"]
"""What becomes of a deleted campaign's run that is under way."""


def fold(events: Iterable[CampaignEvent]) -> CampaignEvent | None:
    """Return a campaign's state: its newest event, in whatever order and how often they come."""
    return max(events, key=lambda event: event.sequence, default=None)


def present_run(campaign: CampaignEvent) -> UUID | None:
    """Return the run that a one-time campaign's newest launch asks for; None before there is one.

    A recurring campaign's runs are known when they begin.
    """
    if not campaign.launch or recurring(campaign.definition):
        return None
    return run_id(campaign.campaign_id, f"launch:{campaign.launch}")


def draft(
    campaign_id: UUID,
    definition: CampaignDefinition,
    *,
    organization_id: UUID,
    at: datetime,
    by: str,
) -> CampaignDrafted:
    """Begin a campaign."""
    return CampaignDrafted(
        organization_id=organization_id,
        occurred_at=at,
        sequence=1,
        campaign_id=campaign_id,
        status=CampaignStatus.DRAFT,
        definition=definition,
        by=by,
    )


def copied(definition: CampaignDefinition) -> CampaignDefinition:
    """Return what a copy of a campaign says."""
    return definition.model_copy(update={"name": f"Copy of {definition.name}"[:LONGEST_NAME]})


def edit(
    campaign: CampaignEvent, definition: CampaignDefinition, *, at: datetime, by: str
) -> CampaignEdited | Refused | None:
    """Change what the author wrote; a scheduled campaign keeps its schedule."""
    if isinstance(refused := _move(campaign, Command.EDIT, at=at), Refused):
        return refused
    if definition == campaign.definition:
        return None
    drafted = campaign.status is CampaignStatus.DRAFT
    if definition.kind is not campaign.definition.kind and not drafted:
        return Refused("Only a draft can change between one-time and recurring. Copy the campaign.")
    return following(CampaignEdited, campaign, at=at, by=by, definition=definition)


def schedule(
    campaign: CampaignEvent, due_at: datetime | None, *, at: datetime, by: str
) -> CampaignScheduled | Refused:
    """Let the campaign run at a time; a schedule that has not begun is replaced.

    A recurring campaign has no such time: its recurrence decides.
    """
    if _begun(campaign, at):
        return Refused("The campaign's time has come: its run is being started.")
    if isinstance(move := _move(campaign, Command.SCHEDULE, at=at), Refused):
        return move
    first = campaign.status is CampaignStatus.DRAFT
    return following(
        CampaignScheduled,
        campaign,
        at=at,
        by=by,
        status=CampaignStatus.SCHEDULED,
        launch=campaign.launch + 1 if first else campaign.launch,
        due_at=None if recurring(campaign.definition) else due_at,
    )


def delete(
    campaign: CampaignEvent, *, at: datetime, by: str, runs: FatesOfRuns | None = None
) -> CampaignDeleted | Refused:
    """Drop a campaign; of one with a run under way, it must be said what becomes of that.

    Unless its runs are to finish, nothing leaves any more: not even if one begins just now.
    """
    if isinstance(move := _move(campaign, Command.DELETE, at=at), Refused):
        return move
    if campaign.under_way and not recurring(campaign.definition):
        return Refused("A run of the campaign is under way. Cancel the campaign instead.")
    if campaign.under_way and runs is None:
        return KEPT_FROM_RUNNING
    return following(
        CampaignDeleted,
        campaign,
        at=at,
        by=by,
        status=CampaignStatus.DELETED,
        returns_to=None,
        cancels_runs=campaign.launch > 0 and runs != "finish",
    )


def pause(
    campaign: CampaignEvent, *, at: datetime, by: str, reason: str = ""
) -> CampaignPaused | Refused:
    """Hold the campaign, and what its runs have not sent yet."""
    if isinstance(move := _move(campaign, Command.PAUSE, at=at), Refused):
        return move
    return paused(campaign, at=at, by=by, reason=reason)


def paused(campaign: CampaignEvent, *, at: datetime, by: str, reason: str) -> CampaignPaused:
    """Return the pause of a campaign that can be paused."""
    return following(
        CampaignPaused,
        campaign,
        at=at,
        by=by,
        reason=reason,
        status=CampaignStatus.PAUSED,
        returns_to=campaign.status,
    )


def resume(campaign: CampaignEvent, *, at: datetime, by: str) -> CampaignResumed | Refused:
    """Let the campaign go on where it was."""
    if isinstance(move := _move(campaign, Command.RESUME, at=at), Refused):
        return move
    status = campaign.returns_to or CampaignStatus.SCHEDULED
    if recurring(campaign.definition):
        status = state_of_recurring(campaign.definition, campaign.under_way, at=at)
    return following(CampaignResumed, campaign, at=at, by=by, status=status, returns_to=None)


def cancel(
    campaign: CampaignEvent, *, at: datetime, by: str, reason: str = ""
) -> CampaignCancelled | Refused:
    """End the campaign: what it has not sent yet is never sent."""
    if isinstance(move := _move(campaign, Command.CANCEL, at=at), Refused):
        return move
    return following(
        CampaignCancelled,
        campaign,
        at=at,
        by=by,
        reason=reason,
        status=CampaignStatus.CANCELLED,
        returns_to=None,
        under_way=(),
    )


def archive(campaign: CampaignEvent, *, at: datetime, by: str) -> CampaignArchived | Refused:
    """Put a campaign away that is over, or was never scheduled."""
    if isinstance(move := _move(campaign, Command.ARCHIVE, at=at), Refused):
        return move
    return following(
        CampaignArchived,
        campaign,
        at=at,
        by=by,
        status=CampaignStatus.ARCHIVED,
        returns_to=campaign.status,
    )


def restore(campaign: CampaignEvent, *, at: datetime, by: str) -> CampaignRestored | Refused:
    """Bring a campaign back from the archive, as it was."""
    if isinstance(move := _move(campaign, Command.RESTORE, at=at), Refused):
        return move
    status = campaign.returns_to or CampaignStatus.COMPLETED
    return following(CampaignRestored, campaign, at=at, by=by, status=status, returns_to=None)


def state_of_recurring(
    definition: CampaignDefinition, under_way: tuple[UUID, ...], *, at: datetime
) -> CampaignStatus:
    """Return the state of a recurring campaign that nobody holds."""
    if under_way:
        return CampaignStatus.SENDING
    return CampaignStatus.SCHEDULED if goes_on(definition, at) else CampaignStatus.COMPLETED


def following(kind: type[C], campaign: CampaignEvent, *, at: datetime, by: str, **news: Any) -> C:
    """Return the campaign's next event: what it says is as before, but for the news."""
    state: dict[str, Any] = {
        "organization_id": campaign.organization_id,
        "occurred_at": at,
        "sequence": campaign.sequence + 1,
        "campaign_id": campaign.campaign_id,
        "status": campaign.status,
        "definition": campaign.definition,
        "launch": campaign.launch,
        "due_at": campaign.due_at,
        "returns_to": campaign.returns_to,
        "under_way": campaign.under_way,
        "by": by,
    }
    if news.get("status", campaign.status) is CampaignStatus.PAUSED:
        # Why it is paused stays true, whatever else happens to it meanwhile.
        state["reason"] = campaign.reason
    return kind(**(state | news))


def _begun(campaign: CampaignEvent, at: datetime) -> bool:
    scheduled = campaign.status is CampaignStatus.SCHEDULED
    return scheduled and campaign.due_at is not None and campaign.due_at <= at + CLOSES


def _move(campaign: CampaignEvent, command: Command, *, at: datetime) -> Move:
    changes = command in {Command.EDIT, Command.DELETE}
    begun = changes and _begun(campaign, at)
    if begun and campaign.due_at is not None and at < campaign.due_at + STARTING:
        done = "edited" if command is Command.EDIT else "deleted"
        return Refused(
            f"The campaign's time has come: its run is being started; it can't be {done} now."
        )
    held = campaign.status is CampaignStatus.PAUSED
    if changes and held and campaign.returns_to is CampaignStatus.COMPLETED:
        return HELD_AFTER_ITS_END
    return move_of(campaign.status, command, campaign.definition.kind)
