"""Texts that belong to no campaign, as staff or the consent service ask for them."""

from typing import Any

from tests.sender.books import LANE, NOW, ORGANIZATION

from contracts import ids
from contracts.events.message import MessageRequested, ReplyPurpose, ReplyRequested


def requested(to: str, key: str = "1", **more: Any) -> MessageRequested:
    """A text that staff want sent at once."""
    return MessageRequested(**single(to, "urgent", key), **more)


def reply(to: str, purpose: ReplyPurpose, sid: str = "SM1") -> ReplyRequested:
    """A text that answers a member's."""
    return ReplyRequested(**single(to, "reply", sid), purpose=purpose, inbound_sid=sid)


def single(to: str, purpose: str, key: str) -> dict[str, Any]:
    run = ids.single_run_id(ORGANIZATION, purpose, key)
    recipient = ids.recipient_id(run, 1)
    return {
        "organization_id": ORGANIZATION,
        "occurred_at": NOW,
        "sequence": 1,
        "run_id": run,
        "campaign_id": ids.single_texts_id(ORGANIZATION, purpose),
        "recipient_id": recipient,
        "message_id": ids.message_id(recipient),
        "to": to,
        "from_number": LANE.from_number,
        "text": "Now",
        "segments": 1,
    }
