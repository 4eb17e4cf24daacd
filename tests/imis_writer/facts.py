"""Facts about texts and members, as the other services tell them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from contracts.envelope import Envelope, seal
from contracts.events.activity import ActivityRetryRequested
from contracts.events.audience import Reason
from contracts.events.campaign import Mode, WriteTo
from contracts.events.consent import Consent, ConsentCause, ConsentChanged
from contracts.events.message import (
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    RecipientExcluded,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    TwilioAccess,
)
from imis_writer.domain.effects import OPTED_OUT_AT_TWILIO, About, Effect, Kind

NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ORGANIZATION, OTHER, RUN, CAMPAIGN = (UUID(int=number) for number in range(1, 5))
MEMBER, OURS = "+12025550143", "+18885550100"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _of_text(message_id: UUID | None) -> dict[str, Any]:
    return {
        "organization_id": ORGANIZATION,
        "occurred_at": NOON,
        "sequence": 1,
        "run_id": RUN,
        "campaign_id": CAMPAIGN,
        "message_id": message_id or uuid4(),
    }


def queued(message_id: UUID | None = None, **more: Any) -> Envelope[MessageQueued]:
    given: dict[str, Any] = _of_text(message_id) | {
        "recipient_id": uuid4(),
        "row": 0,
        "imis_id": "101",
        "to": MEMBER,
        "from_number": OURS,
        "text": "Hello Zoë",
        "segments": 1,
        "mode": Mode.LIVE,
        "write_to": WriteTo.ACTIVITY,
    }
    return seal(MessageQueued(**(given | more)))


def status(
    message_id: UUID, is_now: MessageStatus = MessageStatus.SENT, **more: Any
) -> Envelope[MessageStatusChanged]:
    given: dict[str, Any] = _of_text(message_id) | {
        "occurred_at": after(9),
        "sequence": 2,
        "status": is_now,
        "segments": 1,
        "mode": Mode.LIVE,
        "attempted_at": NOON,
    }
    return seal(MessageStatusChanged(**(given | more)))


def opted_out_there(message_id: UUID, **more: Any) -> Envelope[MessageStatusChanged]:
    """Twilio refused the text: its member has opted out."""
    given: dict[str, Any] = {"error_code": OPTED_OUT_AT_TWILIO, "to": MEMBER, "from_number": OURS}
    return status(message_id, MessageStatus.FAILED, **(given | more))


def excluded(message_id: UUID | None = None, **more: Any) -> Envelope[RecipientExcluded]:
    given: dict[str, Any] = _of_text(message_id) | {
        "recipient_id": uuid4(),
        "row": 0,
        "imis_id": "101",
        "reason": Reason.OPTED_OUT,
        "to": MEMBER,
        "from_number": OURS,
        "write_to": WriteTo.ACTIVITY,
    }
    return seal(RecipientExcluded(**(given | more)))


def consent(word: Consent, sequence: int, at: datetime, **more: Any) -> Envelope[ConsentChanged]:
    given: dict[str, Any] = {
        "organization_id": ORGANIZATION,
        "occurred_at": at,
        "sequence": sequence,
        "number": MEMBER,
        "from_number": OURS,
        "consent": word,
        "cause": ConsentCause.KEYWORD,
    } | more
    pair = given["number"] + given["from_number"]
    return seal(ConsentChanged(consent_id=uuid5(ORGANIZATION, pair), **given))


def stop(sequence: int, at: datetime, **more: Any) -> Envelope[ConsentChanged]:
    return consent(Consent.OPTED_OUT, sequence, at, **more)


def start(sequence: int, at: datetime, **more: Any) -> Envelope[ConsentChanged]:
    return consent(Consent.OPTED_IN, sequence, at, **more)


def retry(at: datetime, message_id: UUID | None = None) -> Envelope[ActivityRetryRequested]:
    return seal(
        ActivityRetryRequested(
            organization_id=ORGANIZATION,
            occurred_at=at,
            sequence=1,
            run_id=RUN,
            message_id=message_id,
            by="staff",
        )
    )


def organization(
    *,
    sequence: int = 1,
    organization_id: UUID = ORGANIZATION,
    test_runs: bool = False,
    settings: dict[str, Any] | None = None,
    **imis: Any,
) -> OrganizationSettingsChanged:
    given = {"url": "http://127.0.0.1:1", "username": "u", "password_encrypted": "x"} | imis
    return OrganizationSettingsChanged(
        organization_id=organization_id,
        occurred_at=NOON,
        sequence=sequence,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            write_test_runs=test_runs,
            imis=ImisAccess(**given),
            twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted="x"),
            **(settings or {}),
        ),
    )


def effect(**more: Any) -> Effect:
    return replace(
        Effect(
            message_id=more.pop("message_id", None) or uuid4(),
            about=About.TEXT,
            kind=Kind.TEXTMSG,
            organization_id=ORGANIZATION,
            run_id=RUN,
            campaign_id=CAMPAIGN,
            imis_id="101",
            to=MEMBER,
            text="Hello Zoë",
            subject="Text message",
            mode=Mode.LIVE,
            transaction_date=NOON,
            because=uuid4(),
            attempts=1,
        ),
        **more,
    )
