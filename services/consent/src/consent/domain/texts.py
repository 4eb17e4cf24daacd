"""Whose text it is, and which pairs of numbers it is about."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from consent.domain.pairs import Pair
from consent.domain.words import Wish, wish_of
from contracts.events.consent import Consent, ConsentDecided
from contracts.events.organization import OrganizationSettings
from contracts.events.provider import TwilioMessageReceived
from contracts.ids import consent_id

Fingerprint = Callable[..., str]
"""Names an organisation's numbers: `(organization_id, *numbers)`."""

_NUMBER: Final = re.compile(r"\+?[0-9]{3,15}")


class Unplaced(StrEnum):
    """Why a text can't be believed now; with newer settings it may be."""

    NO_SETTINGS = "no_settings"
    NOT_ITS_ACCOUNT = "not_its_account"
    NOT_ITS_NUMBER = "not_its_number"


@dataclass(frozen=True, slots=True)
class Heard:
    """A text from a member to a number of the organisation's."""

    number: str
    from_number: str
    wish: Wish


def hear(
    text: TwilioMessageReceived, settings: OrganizationSettings | None
) -> Heard | Unplaced | None:
    """Say what a text is to the organisation whose account told it; None: no member sent it.

    The signature proves the account; which numbers are the organisation's, its settings say.
    """
    if settings is None:
        return Unplaced.NO_SETTINGS
    if text.account_sid != settings.twilio.account_sid:
        return Unplaced.NOT_ITS_ACCOUNT
    ours, theirs = text.form.get("To", ""), text.form.get("From", "")
    if ours not in {each.number for each in settings.numbers}:
        return Unplaced.NOT_ITS_NUMBER
    if not _NUMBER.fullmatch(theirs):
        return None
    said = text.form.get("Body", "")
    wish = wish_of(said, opt_out_type=text.form.get("OptOutType", ""))
    return Heard(number=theirs, from_number=ours, wish=wish)


def pair_of(organization: UUID, *, number: str, from_number: str, name: Fingerprint) -> Pair:
    """Return a pair under its derived id."""
    fingerprint = name(organization, from_number, number)
    return Pair(consent_id(organization, fingerprint), organization, number, from_number)


def pairs_concerned(
    consent: Consent,
    settings: OrganizationSettings,
    organization: UUID,
    *,
    number: str,
    from_number: str,
    name: Fingerprint,
) -> list[Pair]:
    """Return the pairs that a decision is about.

    Always the number that was texted; all of the organisation's too where it says that a STOP is
    about all. A START lifts that in any case, so that nobody stays out for ever by a setting that
    was changed since.
    """
    found = [pair_of(organization, number=number, from_number=from_number, name=name)]
    if consent is Consent.OPTED_IN or settings.opt_out_of == "organization":
        found.append(pair_of(organization, number=number, from_number="", name=name))
    return found


def pairs_of_staff(
    decided: ConsentDecided, settings: OrganizationSettings | None, name: Fingerprint
) -> list[Pair]:
    """Return the pairs that staff decided about: one number's, or all of the organisation's."""
    organization, number = decided.organization_id, decided.number
    if decided.consent is Consent.OPTED_OUT or settings is None:
        numbers = {decided.from_number}
    else:
        every = {each.number for each in settings.numbers}
        # An opt-out from everything would stand in the way of any of them.
        numbers = {"", *({decided.from_number} if decided.from_number else every)}
    return [
        pair_of(organization, number=number, from_number=each, name=name)
        for each in sorted(numbers)
    ]
