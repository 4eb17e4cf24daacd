"""What the projections make of the events of a batch."""

from collections.abc import Sequence
from uuid import UUID

from contracts import ids
from contracts.envelope import Envelope
from contracts.events.activity import ActivityEvent, ActivityWritten
from contracts.events.audience import RecipientRejected, RecipientsResolved
from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.message import (
    MessageQueued,
    MessageStatusChanged,
    MessageSubmitted,
    RecipientExcluded,
    Unresolved,
)
from contracts.events.run import RunCompleted, RunEvent, RunFailed, RunStarted
from projections.domain import Addressed, Figures, LeftOut, Omission, Row, RowFact, fold
from projections.ports import Activity, CampaignFact, Doubt, ReadModels, RunFact
from readmodels.views import ActivityState, RunState

TEXT_ACTIVITY = "TEXTMSG"
AT_ONCE = 2000
"""How many rows are asked for at once: a batch of pages has more than a statement may name."""
_STATES: dict[type[RunEvent], RunState] = {
    RunStarted: RunState.SENDING,
    RunCompleted: RunState.COMPLETED,
    RunFailed: RunState.FAILED,
}


async def project_campaigns(
    events: Sequence[Envelope[CampaignEvent]], *, models: ReadModels
) -> None:
    """Show each campaign's newest state."""
    await models.keep_campaigns(
        [
            CampaignFact(
                campaign_id=event.campaign_id,
                organization_id=event.organization_id,
                name=event.definition.name,
                status=event.status,
                sequence=event.sequence,
            )
            for event in (each.event for each in events)
        ]
    )


async def project_due(events: Sequence[Envelope[CampaignDue]], *, models: ReadModels) -> None:
    """Show the runs that begin."""
    await models.keep_runs(
        [
            RunFact(
                run_id=event.run_id,
                organization_id=event.organization_id,
                campaign_id=event.campaign_id,
                name=event.name,
                occurrence=event.occurrence,
                mode=event.mode,
                from_number=event.from_number,
                due_at=event.due_at,
            )
            for event in (each.event for each in events)
        ]
    )


async def project_pages(
    events: Sequence[Envelope[RecipientsResolved]], *, models: ReadModels
) -> None:
    """Show the recipients of the pages, preparing, and what the pages say about their runs."""
    pages = [each.event for each in events]
    await models.keep_runs(
        [
            RunFact(
                run_id=page.run_id,
                organization_id=page.organization_id,
                campaign_id=page.campaign_id,
                name=page.name or None,
                occurrence=page.occurrence or None,
                mode=page.mode,
                from_number=page.from_number,
                rows=None if page.totals is None else page.totals.rows,
            )
            for page in pages
        ]
    )
    await _project_rows(
        [
            Addressed(
                message_id=each.message_id,
                organization_id=page.organization_id,
                run_id=page.run_id,
                campaign_id=page.campaign_id,
                recipient_id=each.recipient_id,
                row=each.row,
                imis_id=each.imis_id,
                to=each.to,
                text=each.text,
                segments=each.segments,
                mode=page.mode,
            )
            for page in pages
            for each in page.recipients
        ],
        models=models,
    )


async def project_rejected(
    events: Sequence[Envelope[RecipientRejected]], *, models: ReadModels
) -> None:
    """Show the rows that became no text, under the message that they would have been."""
    await _project_rows(
        [
            LeftOut(
                message_id=ids.message_id(event.recipient_id),
                organization_id=event.organization_id,
                run_id=event.run_id,
                campaign_id=event.campaign_id,
                recipient_id=event.recipient_id,
                row=event.row,
                imis_id=event.imis_id,
                by=Omission.REJECTED,
                reason=event.reason,
                phone=event.phone,
            )
            for event in (each.event for each in events)
        ],
        models=models,
    )


async def project_excluded(
    events: Sequence[Envelope[RecipientExcluded]], *, models: ReadModels
) -> None:
    """Show the recipients that the sender left out."""
    await _project_rows(
        [
            LeftOut(
                message_id=event.message_id,
                organization_id=event.organization_id,
                run_id=event.run_id,
                campaign_id=event.campaign_id,
                recipient_id=event.recipient_id,
                row=event.row,
                imis_id=event.imis_id,
                by=Omission.EXCLUDED,
                reason=event.reason,
            )
            for event in (each.event for each in events)
        ],
        models=models,
    )


async def project_queued(events: Sequence[Envelope[MessageQueued]], *, models: ReadModels) -> None:
    """Show since when the sender has the messages."""
    await _project_rows(
        [
            Addressed(
                message_id=event.message_id,
                organization_id=event.organization_id,
                run_id=event.run_id,
                campaign_id=event.campaign_id,
                recipient_id=event.recipient_id,
                row=event.row,
                imis_id=event.imis_id,
                to=event.to,
                text=event.text,
                segments=event.segments,
                mode=event.mode,
                queued_at=event.occurred_at,
            )
            for event in (each.event for each in events)
        ],
        models=models,
    )


async def project_submitted(
    events: Sequence[Envelope[MessageSubmitted]], *, models: ReadModels
) -> None:
    """Show why nobody can tell; all else that an answer says is told by the status."""
    doubts = []
    for each in events:
        event = each.event
        match event.outcome:
            case Unresolved(reason=reason):
                doubts.append(
                    Doubt(
                        message_id=event.message_id,
                        organization_id=event.organization_id,
                        run_id=event.run_id,
                        campaign_id=event.campaign_id,
                        doubt=reason,
                        doubt_sequence=event.sequence,
                    )
                )
    await models.keep_doubts(doubts)


async def project_statuses(
    events: Sequence[Envelope[MessageStatusChanged]], *, models: ReadModels
) -> None:
    """Show each message's newest status."""
    await _project_rows([each.event for each in events], models=models)


async def project_runs(events: Sequence[Envelope[RunEvent]], *, models: ReadModels) -> None:
    """Show how far the runs are."""
    facts = []
    for each in events:
        event = each.event
        started = isinstance(event, RunStarted)
        facts.append(
            RunFact(
                run_id=event.run_id,
                organization_id=event.organization_id,
                campaign_id=event.campaign_id,
                state=_STATES[type(event)],
                state_sequence=event.sequence,
                failure=event.reason if isinstance(event, RunFailed) else None,
                rows=event.rows if isinstance(event, RunCompleted) else None,
                started_at=event.occurred_at if started else None,
                completed_at=None if started else event.occurred_at,
            )
        )
    await models.keep_runs(facts)


async def project_activities(
    events: Sequence[Envelope[ActivityEvent]], *, models: ReadModels
) -> None:
    """Show whether iMIS holds the text; other effects of a message are not shown here."""
    facts = []
    for each in events:
        event = each.event
        if event.kind == TEXT_ACTIVITY:
            written = isinstance(event, ActivityWritten)
            facts.append(
                Activity(
                    message_id=event.message_id,
                    organization_id=event.organization_id,
                    run_id=event.run_id,
                    campaign_id=event.campaign_id,
                    activity_state=ActivityState.WRITTEN if written else ActivityState.REFUSED,
                    activity_seqn=event.seqn if isinstance(event, ActivityWritten) else None,
                    activity_sequence=event.sequence,
                )
            )
    await models.keep_activities(facts)


async def _project_rows(facts: Sequence[RowFact], *, models: ReadModels) -> None:
    """Fold facts of one type into their rows, and the changes of the rows into the figures."""
    for first in range(0, len(facts), AT_ONCE):
        await _project_some(facts[first : first + AT_ONCE], models=models)


async def _project_some(facts: Sequence[RowFact], *, models: ReadModels) -> None:
    held = await models.hold(facts)
    changed: dict[UUID, tuple[RowFact, Row]] = {}
    figures = Figures()
    for fact in facts:
        before = changed[fact.message_id][1] if fact.message_id in changed else None
        before = before or held.get(fact.message_id)
        after = fold(before, fact)
        if after is not before:
            figures.move(before, after)
            changed[fact.message_id] = fact, after
    await models.keep(changed.values())
    await models.add(figures)
