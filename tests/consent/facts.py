"""Texts, refusals and settings as others tell them."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4, uuid5

from contracts.envelope import Envelope, seal
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus, MessageStatusChanged
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from contracts.events.provider import TwilioMessageReceived

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME, OTHER = UUID(int=1), UUID(int=2)
MEMBER, OFFICE, DESK = "+12025550143", "+12025550100", "+12025550101"


def settings(
    organization: UUID = ACME,
    *,
    sequence: int = 1,
    numbers: tuple[str, ...] = (OFFICE, DESK),
    opt_out_of: Literal["number", "organization"] = "number",
    account: str = "",
    replies: Literal["twilio", "us"] = "twilio",
) -> OrganizationSettingsChanged:
    return OrganizationSettingsChanged(
        organization_id=organization,
        occurred_at=NOON,
        sequence=sequence,
        settings=OrganizationSettings(
            name="Acme",
            cloud_id="acme",
            opt_out_of=opt_out_of,
            numbers=tuple(
                SendingNumber(number=each, segments_per_second=3, replies=replies)
                for each in numbers
            ),
            imis=ImisAccess(url="http://imis", username="u", password_encrypted=""),
            twilio=TwilioAccess(
                account_sid=account or f"AC-{organization.int}", auth_token_encrypted=""
            ),
        ),
    )


def text(
    body: str,
    *,
    seconds: float = 0,
    sid: str = "",
    to: str = OFFICE,
    sender: str = MEMBER,
    organization: UUID = ACME,
    account: str = "",
    **more: str,
) -> Envelope[TwilioMessageReceived]:
    """A text that was said some seconds after noon."""
    sid = sid or f"SM{uuid4().hex}"
    account = account or f"AC-{organization.int}"
    form = {"MessageSid": sid, "AccountSid": account, "From": sender, "To": to, "Body": body}
    return seal(
        TwilioMessageReceived(
            organization_id=organization,
            occurred_at=NOON + timedelta(seconds=seconds),
            sequence=0,
            account_sid=account,
            message_sid=sid,
            form=form | more,
        )
    )


def refusal(
    name: str = "one",
    *,
    seconds: float = 0,
    told_later: float = 0,
    code: int | None = 21610,
    organization: UUID = ACME,
    to: str | None = MEMBER,
    sequence: int = 2,
) -> Envelope[MessageStatusChanged]:
    """A message that was attempted some seconds after noon."""
    attempted = NOON + timedelta(seconds=seconds)
    return seal(
        MessageStatusChanged(
            organization_id=organization,
            occurred_at=attempted + timedelta(seconds=told_later),
            sequence=sequence,
            run_id=UUID(int=7),
            campaign_id=UUID(int=8),
            message_id=uuid5(UUID(int=9), name),
            status=MessageStatus.FAILED,
            error_code=code,
            segments=1,
            mode=Mode.LIVE,
            attempted_at=attempted,
            to=to,
            from_number=OFFICE,
        )
    )
