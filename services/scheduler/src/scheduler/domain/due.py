"""What a run will use, whatever changes after its time has come."""

from datetime import UTC, datetime, timezone

from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings
from contracts.ids import run_id
from scheduler.domain.timer import recurrence
from timing.recurrence import Occurrence


def launch(campaign: CampaignEvent, due_at: datetime) -> Occurrence:
    """Name the run that the present schedule of a one-time campaign asks for."""
    return Occurrence(f"launch:{campaign.launch}", due_at)


def name_of(campaign: CampaignEvent, occurrence: Occurrence) -> str:
    """Name an occurrence within its campaign: a recurring one's is its local time with its offset.

    The offset keeps apart what an author means to be two times: ten o'clock in New York, and, when
    the campaign was moved to another zone after that, ten o'clock in Los Angeles on the same day.
    """
    if recurrence(campaign) is None:
        return occurrence.nominal
    local = datetime.fromisoformat(occurrence.nominal)
    offset = local.replace(tzinfo=UTC) - occurrence.at
    return local.replace(tzinfo=timezone(offset)).isoformat()


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
    name = name_of(campaign, occurrence)
    return CampaignDue(
        organization_id=campaign.organization_id,
        occurred_at=at,
        sequence=1,
        run_id=run_id(campaign.campaign_id, name),
        campaign_id=campaign.campaign_id,
        occurrence=name,
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
