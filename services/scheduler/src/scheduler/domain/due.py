"""What a run will use, whatever changes after its time has come."""

from datetime import datetime

from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings
from contracts.ids import run_id
from timing.recurrence import Occurrence


def launch(campaign: CampaignEvent, due_at: datetime) -> Occurrence:
    """Name the run that the present schedule of a one-time campaign asks for."""
    return Occurrence(f"launch:{campaign.launch}", due_at)


def freeze(
    campaign: CampaignEvent,
    occurrence: Occurrence,
    settings: OrganizationSettings,
    *,
    at: datetime,
) -> CampaignDue | None:
    """Return the due run with everything that it will use; None while no number can send it."""
    definition = campaign.definition
    number = definition.from_number or next((each.number for each in settings.numbers), None)
    if definition.audience is None or number is None:
        return None
    return CampaignDue(
        organization_id=campaign.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=run_id(campaign.campaign_id, occurrence.nominal),
        campaign_id=campaign.campaign_id,
        occurrence=occurrence.nominal,
        due_at=occurrence.at,
        name=definition.name,
        audience=definition.audience,
        template=definition.template,
        mode=definition.mode,
        write_to=definition.write_to,
        from_number=number,
        one_text_per_phone=definition.one_text_per_phone,
        default_country=settings.default_country,
        kind=definition.kind,
        purpose=definition.purpose,
        log_subject=definition.log_subject,
        locale=settings.locale,
        leave_out_landlines=settings.leave_out_landlines,
        accept_empty=definition.accept_empty,
    )
