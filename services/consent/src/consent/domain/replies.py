"""What we answer a member who opted out or in, where nobody else does (TM-20).

Twilio answers STOP and START by itself on most numbers, and the network on toll-free ones; a
second answer would be refused (21610) or be one text too many. So it is a setting of the number.
"""

from typing import Final

from consent.domain.pairs import Decision
from contracts.events.consent import Consent
from contracts.events.message import ReplyPurpose, ReplyRequested
from contracts.events.organization import OrganizationSettings
from contracts.events.provider import TwilioMessageReceived
from contracts.ids import message_id, recipient_id, single_run_id, single_texts_id

_WORDS: Final = {
    Consent.OPTED_OUT: (
        ReplyPurpose.OPTED_OUT,
        "You have successfully been unsubscribed. You will not receive any more messages from "
        "this number. Reply START to resubscribe.",
    ),
    Consent.OPTED_IN: (
        ReplyPurpose.OPTED_IN,
        "You have been subscribed again to messages from this number. Reply STOP to unsubscribe.",
    ),
}
"""Each fits one segment in GSM-7."""


def answered_by_us(
    text: TwilioMessageReceived, settings: OrganizationSettings, *, from_number: str
) -> bool:
    """Whether nobody answers the member unless we do.

    `OptOutType` stands in texts that Advanced Opt-Out has taken, and answered, already.
    """
    if text.form.get("OptOutType"):
        return False
    number = next((each for each in settings.numbers if each.number == from_number), None)
    return number is not None and number.replies == "us"


def reply_to(text: TwilioMessageReceived, decision: Decision) -> ReplyRequested:
    """Return the answer to the text that a decision was read from; one a text, by its SID."""
    organization = text.organization_id
    run = single_run_id(organization, "reply", text.message_sid)
    recipient = recipient_id(run, 1)
    purpose, words = _WORDS[decision.consent]
    return ReplyRequested(
        organization_id=organization,
        occurred_at=decision.at,
        sequence=1,
        run_id=run,
        campaign_id=single_texts_id(organization, "reply"),
        message_id=message_id(recipient),
        recipient_id=recipient,
        to=decision.pair.number,
        from_number=text.form.get("To", ""),
        text=words,
        segments=1,
        by="consent",
        purpose=purpose,
        inbound_sid=text.message_sid,
    )
