"""When a campaign is due, and what its run will use; pure."""

from datetime import datetime

from contracts.events.campaign import CampaignDue, CampaignEvent, CampaignStatus
from contracts.events.organization import OrganizationSettings
from contracts.ids import run_id


def occurrence(campaign: CampaignEvent) -> str:
    """Name the run that the campaign's present schedule asks for."""
    return f"launch:{campaign.launch}"


def due_at(campaign: CampaignEvent) -> datetime | None:
    """Return when the campaign is to run, or None when it is not to."""
    return campaign.due_at if campaign.status is CampaignStatus.SCHEDULED else None


def freeze(
    campaign: CampaignEvent, settings: OrganizationSettings, *, at: datetime
) -> CampaignDue | None:
    """Return the due run with everything that it will use; None while no number can send it."""
    definition = campaign.definition
    number = definition.from_number or next((each.number for each in settings.numbers), None)
    if definition.audience is None or number is None or campaign.due_at is None:
        return None
    name = occurrence(campaign)
    return CampaignDue(
        organization_id=campaign.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=run_id(campaign.campaign_id, name),
        campaign_id=campaign.campaign_id,
        occurrence=name,
        due_at=campaign.due_at,
        name=definition.name,
        audience=definition.audience,
        template=definition.template,
        mode=definition.mode,
        write_to=definition.write_to,
        from_number=number,
        one_text_per_phone=definition.one_text_per_phone,
        default_country=settings.default_country,
    )
