"""The proof: recipient by recipient, the witnesses must agree."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.events.message import Accepted, Refused
from textmanager.demo.evidence import Evidence

MOST_SHOWN = 20


@dataclass(slots=True)
class Verdict:
    """What the evidence adds up to; `disagreements` is empty when all agree."""

    recipients_returned: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    segments: int = 0
    accepted: int = 0
    delivered: int = 0
    undelivered: int = 0
    failed: int = 0
    activities_written: int = 0
    lost: int = 0
    sent_twice: int = 0
    activities_twice: int = 0
    events: dict[str, int] = field(default_factory=dict)
    disagreements: list[str] = field(default_factory=list)

    @property
    def agreed(self) -> bool:
        """Whether nothing is lost, nothing is double, and all witnesses say the same."""
        return not (self.lost or self.sent_twice or self.activities_twice or self.disagreements)


def prove(evidence: Evidence) -> Verdict:
    """Compare what the witnesses say."""
    log = evidence.log
    statuses = Counter(each["status"] for each in evidence.accepted)
    reasons = Counter(str(each.reason) for each in log.rejected.values())
    reasons.update(str(each.reason) for each in log.excluded.values())
    verdict = Verdict(
        recipients_returned=len(evidence.audience),
        excluded=dict(sorted(reasons.items())),
        messages=len(log.queued.keys() - log.excluded.keys()),
        segments=sum(int(each["num_segments"]) for each in evidence.accepted),
        accepted=len(evidence.accepted),
        delivered=statuses["delivered"],
        undelivered=statuses["undelivered"],
        failed=statuses["failed"],
        activities_written=len(evidence.activities),
        events=dict(sorted(log.events.items())),
    )
    _every_row_is_accounted_for(evidence, verdict)
    _each_message_was_sent_once(evidence, verdict)
    _each_activity_was_written_once(evidence, verdict)
    return verdict


def _every_row_is_accounted_for(evidence: Evidence, verdict: Verdict) -> None:
    log = evidence.log
    members = Counter(row.get("iMIS Id", "") for row in evidence.audience)
    accounted = Counter(imis_id for imis_id, _, _ in log.resolved.values())
    accounted.update(each.imis_id for each in log.rejected.values())
    for member in (members - accounted).keys() | (accounted - members).keys():
        verdict.disagreements.append(
            f"member {member}: {members[member]} rows in iMIS, {accounted[member]} in the log"
        )
    if log.totals is None or log.totals.rows != len(evidence.audience):
        verdict.disagreements.append("the totals of the log are not the rows of iMIS")
    for missing in log.resolved.keys() - log.queued.keys() - log.excluded.keys():
        verdict.lost += 1
        verdict.disagreements.append(f"message {missing}: resolved, never queued")


def _each_message_was_sent_once(evidence: Evidence, verdict: Verdict) -> None:
    by_message = evidence.accepted_for()
    for stranger in by_message.keys() - evidence.log.queued.keys():
        verdict.disagreements.append(f"Twilio accepted a text of nobody's ({stranger})")
    for message_id, queued in evidence.log.queued.items():
        accepted = by_message.get(message_id, [])
        verdict.sent_twice += max(0, len(accepted) - 1)
        if message_id in evidence.log.excluded:
            # It was queued, and left out before it left: its member opted out meanwhile.
            if accepted:
                verdict.disagreements.append(f"message {message_id}: left out, and sent")
            continue
        says = _what_became_of(message_id, evidence)
        if not accepted and says.should_be_accepted:
            verdict.lost += 1
        wrong = says.disagreement(accepted)
        if accepted and (accepted[0]["to"], accepted[0]["body"]) != (queued.to, queued.text):
            wrong.append("another text or number than was queued")
        verdict.disagreements.extend(f"message {message_id}: {each}" for each in wrong)


@dataclass(frozen=True, slots=True)
class _Says:
    outcome: Any
    status: str | None
    sid: str | None
    ledger: tuple[str, str | None] | None
    read_model: dict[str, Any] | None

    @property
    def should_be_accepted(self) -> bool:
        return not isinstance(self.outcome, Refused)

    def disagreement(self, accepted: list[dict[str, Any]]) -> list[str]:
        """Say where the witnesses differ from what Twilio did."""
        if not isinstance(self.outcome, Accepted | Refused):
            return ["without an outcome in the log"]
        sid = accepted[0]["sid"] if accepted else None
        state = "accepted" if accepted else "refused"
        wrong = []
        if self.ledger != (state, sid):
            wrong.append(f"{state} at Twilio, {(self.ledger or ('missing',))[0]} in the ledger")
        if isinstance(self.outcome, Accepted) != bool(accepted) or (
            isinstance(self.outcome, Accepted) and self.outcome.sid != sid
        ):
            wrong.append("Twilio and the log's MessageSubmitted differ")
        if accepted and self.status != accepted[0]["status"]:
            wrong.append(f"{accepted[0]['status']} at Twilio, {self.status} in the log")
        shown = (self.read_model or {}).get("status")
        if shown != self.status:
            wrong.append(f"{self.status} in the log, {shown} in the read model")
        return wrong


def _what_became_of(message_id: UUID, evidence: Evidence) -> _Says:
    submitted = evidence.log.submitted.get(message_id)
    changed = evidence.log.status.get(message_id)
    return _Says(
        outcome=None if submitted is None else submitted.outcome,
        status=None if changed is None else str(changed.status),
        sid=None if changed is None else changed.sid,
        ledger=evidence.ledger.get(message_id),
        read_model=evidence.read_models.get(message_id),
    )


def _each_activity_was_written_once(evidence: Evidence, verdict: Verdict) -> None:
    log = evidence.log
    held = {str(each["seqn"]): each for each in evidence.activities}
    known: set[str] = set()
    for message_id in log.once_sent:
        queued = log.queued[message_id]
        seqns = {each.seqn for each in log.written.get(message_id, [])}
        if len(seqns) != 1 or not seqns <= held.keys():
            verdict.disagreements.append(
                f"message {message_id}: {len(seqns)} activities in the log, "
                f"{len(seqns & held.keys())} of them in iMIS"
            )
            continue
        activity = held[next(iter(seqns))]
        wanted = (queued.imis_id, queued.to, queued.text, "TEXTMSG", "Text Manager")
        found = tuple(activity[key] for key in ("party", "description", "note", "type", "category"))
        if found != wanted:
            verdict.disagreements.append(f"message {message_id}: its activity says otherwise")
        known |= seqns
    # What iMIS holds and no message claims was written twice.
    verdict.activities_twice = len(held.keys() - known)
