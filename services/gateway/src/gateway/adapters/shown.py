"""What the read models answer, as the gateway speaks of it."""

from collections.abc import Mapping

from gateway.domain.views import Message, Run, RunState, Unknown
from readmodels.views import MessageView, RunView, UnknownView

STATES: Mapping[str, RunState] = {
    "preparing": "preparing",
    "sending": "sending",
    "completed": "completed",
    "failed": "failed",
}


def unknown_of(found: UnknownView) -> Unknown:
    """Return a message of which nobody knows what became of it."""
    return Unknown(
        message_id=found.message_id,
        organization_id=found.organization_id,
        run_id=found.run_id,
        campaign_id=found.campaign_id,
        row=found.row,
        imis_id=found.imis_id,
        to=found.to or "",
        number=found.status_sequence,
        reason=found.reason,
        attempted_at=found.attempted_at,
        since=found.status_at,
    )


def run_of(
    run: RunView, statuses: Mapping[str, int], reasons: Mapping[str, int], missed: int
) -> Run:
    """Return a run with its figures."""
    return Run(
        run_id=run.run_id,
        campaign_id=run.campaign_id,
        state=STATES[run.state],
        name=run.name or "",
        mode=run.mode or "LIVE",
        due_at=run.due_at,
        started_at=run.started_at,
        completed_at=run.completed_at,
        failure=run.failure,
        rows=run.rows,
        messages=run.recipients - run.excluded,
        rejected=run.rejected,
        excluded=run.excluded,
        segments=run.segments,
        by_status=statuses,
        by_reason=reasons,
        missed=missed,
        earlier_run=run.earlier_run_id,
        later_runs=run.later_run_ids,
        alarm=run.alarm,
        alarm_kind=run.alarm_kind,
        alarm_code=run.alarm_code,
        alarm_advice=run.alarm_advice,
        waiting=run.waiting,
        held=run.held,
        kind_of_run=run.kind_of_run,
        occurrence=run.occurrence,
        from_number=run.from_number,
        segments_to_go=run.to_segments_left,
    )


def message_of(found: MessageView) -> Message:
    """Return a row of a run."""
    return Message(
        message_id=found.message_id,
        run_id=found.run_id,
        campaign_id=found.campaign_id,
        imis_id=found.imis_id,
        row=found.row,
        to=found.to or "",
        text=found.text or "",
        segments=found.segments,
        status=found.status,
        reason=found.reason,
        error_code=found.error_code,
        sid=found.sid,
        attempted_at=found.attempted_at,
        changed_at=found.status_at,
        activity=found.activity_seqn,
        activity_state=found.activity_state,
        same_as_imis_id=found.same_as_imis_id,
        held_until=found.held_until,
    )
