"""Orders, settings and rows as the tests need them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts import ids
from contracts.envelope import Envelope, seal
from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import Audience, CampaignDue, Mode, WriteTo
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    TwilioAccess,
)

NOON = datetime(2020, 3, 1, 12, tzinfo=UTC)
DEMO = ids.organization_id("demo")
OTHER = ids.organization_id("other")
AUDIENCE = Audience(
    iqa_path="$/Common/Queries/Members", phone_column="Mobile Phone", id_column="iMIS Id"
)
MOBILE = "+12025550143"


def due(
    *, organization_id: UUID = DEMO, campaign_id: UUID | None = None, **changes: Any
) -> CampaignDue:
    campaign = campaign_id or uuid4()
    ordered: dict[str, Any] = {
        "organization_id": organization_id,
        "occurred_at": NOON,
        "sequence": 1,
        "run_id": ids.run_id(campaign, "launch:1"),
        "campaign_id": campaign,
        "occurrence": "launch:1",
        "due_at": NOON,
        "name": "Dues",
        "audience": AUDIENCE,
        "template": "Hello ${Full Name},",
        "mode": Mode.LIVE,
        "write_to": WriteTo.ACTIVITY,
        "from_number": "+12025550100",
        "one_text_per_phone": False,
        "default_country": "US",
    }
    return CampaignDue(**ordered | changes)


def sealed(organization_id: UUID = DEMO, **changes: Any) -> Envelope[CampaignDue]:
    return seal(due(organization_id=organization_id, **changes))


def request(*, organization_id: UUID = DEMO, **changes: Any) -> AudiencePreviewRequested:
    ordered: dict[str, Any] = {
        "organization_id": organization_id,
        "occurred_at": NOON,
        "sequence": 1,
        "preview_id": uuid4(),
        "campaign_id": uuid4(),
        "audience": AUDIENCE,
        "template": "Hello ${Full Name},",
        "from_number": "+12025550100",
        "one_text_per_phone": False,
        "default_country": "US",
    }
    return AudiencePreviewRequested(**ordered | changes)


def settings_changed(
    organization_id: UUID = DEMO,
    *,
    sequence: int = 1,
    url: str = "http://127.0.0.1:1",
    username: str = "textmanager",
    password_encrypted: str = "x",
    version: str = "ems",
) -> OrganizationSettingsChanged:
    return OrganizationSettingsChanged(
        organization_id=organization_id,
        occurred_at=NOON,
        sequence=sequence,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            imis=ImisAccess.model_validate(
                {
                    "url": url,
                    "version": version,
                    "username": username,
                    "password_encrypted": password_encrypted,
                }
            ),
            twilio=TwilioAccess(account_sid="AC1", auth_token_encrypted="x"),
        ),
    )


def member(imis_id: str, phone: str = MOBILE, name: str = "Ann", **more: str) -> dict[str, str]:
    return {"iMIS Id": imis_id, "Full Name": name, "Mobile Phone": phone, **more}


def mobile(index: int) -> str:
    """A valid US number of the index's own."""
    return f"(202) 6{index // 10_000 % 100:02d}-{index % 10_000:04d}"


def members(count: int) -> list[dict[str, str]]:
    return [member(str(100 + index), mobile(index), f"Member {index}") for index in range(count)]
