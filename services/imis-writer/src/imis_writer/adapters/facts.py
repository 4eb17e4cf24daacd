"""What facts tell of a text, as rows and as attempts."""

from typing import Any

from contracts.envelope import Envelope
from contracts.events.message import (
    MessageFact,
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    RecipientExcluded,
)
from imis_writer.domain.effects import LOG_SUBJECT, About, State, kind_of
from imis_writer.domain.opt_outs import Attempt


def _row(event: MessageFact, state: State) -> dict[str, Any]:
    return {
        "message_id": event.message_id,
        "about": About.TEXT,
        "organization_id": event.organization_id,
        "run_id": event.run_id,
        "campaign_id": event.campaign_id,
        "state": state,
    }


def message_row(message: MessageQueued) -> dict[str, Any]:
    """Return what a queued message tells."""
    kind = kind_of(message.write_to, message.imis_id)
    wanted = kind is not None
    return _row(message, State.WAITING if wanted else State.UNNEEDED) | {
        "kind": kind,
        "imis_id": message.imis_id,
        "to_number": message.to if wanted else "",
        "from_number": message.from_number,
        "text": message.text if wanted else "",
        "subject": message.log_subject or LOG_SUBJECT,
        "mode": message.mode,
    }


def status_row(envelope: Envelope[MessageStatusChanged]) -> dict[str, Any]:
    """Return what the status of a text that succeeded tells."""
    event = envelope.event
    sent_at = event.attempted_at or event.occurred_at
    return _row(event, State.WAITING) | {
        "status_sequence": event.sequence,
        "delivered": event.status is MessageStatus.DELIVERED,
        "transaction_date": sent_at,
        "because": envelope.id,
        # The first sent is the first written.
        "not_before": sent_at,
    }


def refusal_row(envelope: Envelope[MessageStatusChanged]) -> dict[str, Any]:
    """Return what the status of a text to a member who had opted out tells."""
    event = envelope.event
    return _row(event, State.WAITING) | {
        "opted_out_at": event.attempted_at or event.occurred_at,
        "opted_out_because": envelope.id,
    }


def refused_attempt(row: Any) -> Attempt:
    """Return the attempt that Twilio refused, of a row that has both facts."""
    return Attempt(
        message_id=row.message_id,
        organization_id=row.organization_id,
        run_id=row.run_id,
        campaign_id=row.campaign_id,
        imis_id=row.imis_id,
        to=row.to_number,
        from_number=row.from_number,
        at=row.opted_out_at,
        because=row.opted_out_because,
        refused=True,
    )


def excluded_attempt(envelope: Envelope[RecipientExcluded]) -> Attempt:
    """Return the attempt that our own list left out."""
    event = envelope.event
    return Attempt(
        message_id=event.message_id,
        organization_id=event.organization_id,
        run_id=event.run_id,
        campaign_id=event.campaign_id,
        imis_id=event.imis_id,
        to=event.to,
        from_number=event.from_number,
        at=event.occurred_at,
        because=envelope.id,
        refused=False,
    )
