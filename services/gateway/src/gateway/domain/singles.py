"""One text to one person, outside of any campaign: checked as a campaign's would be; pure."""

from dataclasses import dataclass

from contracts.events.campaign import WriteTo
from contracts.events.organization import OrganizationSettings, SendingNumber
from gateway.domain.definition import NO_LOG_IN_2017, may_send, not_verified
from gateway.domain.refusals import Fault, Unacceptable
from texting.phones import InvalidPhone, normalise, profile_for
from texting.segments import count

LONGEST_TEXT = 1_600
"""Twilio takes no more characters: https://www.twilio.com/docs/api/errors/21617"""
NOT_SENT = "The text can't be sent as it is."


@dataclass(frozen=True, slots=True)
class Single:
    """What somebody wants sent, as they wrote it."""

    to: str
    text: str
    imis_id: str = ""
    from_number: str | None = None
    write_to: WriteTo | None = None
    log_subject: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What is sent, to whom, from where, and where that is written."""

    to: str
    text: str
    segments: int
    from_number: str
    write_to: WriteTo


def checked(single: Single, settings: OrganizationSettings) -> Checked:
    """Return the text as it is sent; raise with everything that is wrong with it."""
    number = normalise(single.to, default_country=settings.default_country)
    sender = _sender(single, settings)
    write_to = single.write_to
    if write_to is None:
        write_to = WriteTo.ACTIVITY if single.imis_id else WriteTo.NOTHING
    found = [
        *_text_faults(single.text),
        *_sender_faults(sender),
        *_writing_faults(single, write_to, settings),
    ]
    if isinstance(number, InvalidPhone):
        found.insert(0, Fault("to", f"This is no number that can be texted: {number.in_words}."))
    if found or isinstance(number, InvalidPhone) or sender is None:
        raise Unacceptable(found, NOT_SENT)
    segments = count(single.text, profile=profile_for(sender.number)).segments
    return Checked(number.e164, single.text, segments, sender.number, write_to)


def _sender(single: Single, settings: OrganizationSettings) -> SendingNumber | None:
    if single.from_number is None:
        return settings.numbers[0] if settings.numbers else None
    return next((each for each in settings.numbers if each.number == single.from_number), None)


def _text_faults(text: str) -> list[Fault]:
    if not text.strip():
        return [Fault("text", "The text is empty.")]
    if len(text) > LONGEST_TEXT:
        return [Fault("text", f"The text has {len(text):,} characters; {LONGEST_TEXT:,} go.")]
    return []


def _sender_faults(sender: SendingNumber | None) -> list[Fault]:
    if sender is None:
        return [Fault("from_number", "The organisation has no such number to send from.")]
    if not may_send(sender):
        return [Fault("from_number", not_verified(sender))]
    return []


def _writing_faults(
    single: Single, write_to: WriteTo, settings: OrganizationSettings
) -> list[Fault]:
    if write_to is WriteTo.NOTHING:
        return []
    if not single.imis_id:
        return [Fault("imis_id", "Say whose record in iMIS the text is written to.")]
    if write_to is WriteTo.COMMUNICATION_LOG:
        if settings.imis.version == "2017":
            return [Fault("write_to", NO_LOG_IN_2017)]
        if not single.log_subject.strip():
            told = "Write the subject of the Communication Log's entry."
            return [Fault("log_subject", told)]
    return []
