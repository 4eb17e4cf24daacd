"""An organisation's figures: its home page, and what it used (TM-3, TM-22)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from contracts.events.campaign import CampaignStatus
from contracts.events.consent import ReviewStatus
from contracts.events.organization import OrganizationSettings, Prices
from gateway.domain.days import end_of, local_day, start_of
from gateway.domain.records import StaffSession
from gateway.domain.refusals import Fault, Unacceptable
from gateway.domain.usage import By, Line, key_of, lines, total
from gateway.handlers.organizations import newest_settings, settings_of
from gateway.ports import Clock, Desk, ReadModels
from readmodels.views import HeldActivities, UsageView

MOST_REVIEWS = 1000
LONGEST_SPAN = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Home:
    """The figures of an organisation's home page."""

    settings: OrganizationSettings
    day: date
    used: UsageView
    campaigns: dict[CampaignStatus, int]
    activities_held: HeldActivities | None
    open_reviews: int


@dataclass(frozen=True, slots=True)
class Used:
    """What was used in a time."""

    first: date
    last: date
    by: By
    time_zone: str
    prices: Prices
    lines: list[Line]
    names: dict[str, str]
    """Campaigns' names, where lines are campaigns'."""
    total: Line


async def usage_of(
    organization_id: UUID, settings: OrganizationSettings, *, models: ReadModels, at: datetime
) -> UsageView:
    """Return what was sent today and this month, by the organisation's own time zone."""
    zone = settings.time_zone
    day = local_day(at, zone)
    return await models.usage(
        organization_id,
        day_start=start_of(day, zone),
        day_end=end_of(day, zone),
        month_start=start_of(day.replace(day=1), zone),
        at=at,
    )


async def home_of(staff: StaffSession, *, desk: Desk, models: ReadModels, clock: Clock) -> Home:
    """Return an organisation's home page."""
    organization, at = staff.organization_id, clock()
    async with desk.read() as reading:
        known = await newest_settings(organization, reading=reading)
        campaigns = await reading.campaigns.counts(organization)
    settings = known.settings
    held = await models.activities_held(organization)
    # Newer settings let what was held go on.
    still = held is not None and held.settings_sequence >= known.account_sequence
    open_reviews = await models.reviews(
        organization, status=ReviewStatus.OPEN, after=None, limit=MOST_REVIEWS
    )
    return Home(
        settings=settings,
        day=local_day(at, settings.time_zone),
        used=await usage_of(organization, settings, models=models, at=at),
        campaigns=campaigns,
        activities_held=held if still else None,
        open_reviews=len(open_reviews),
    )


async def used(
    staff: StaffSession,
    first: date | None,
    last: date | None,
    by: By,
    *,
    desk: Desk,
    models: ReadModels,
    clock: Clock,
) -> Used:
    """Return what was used from one day to another, both included; this month by default."""
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
    zone = settings.time_zone
    last = last or local_day(clock(), zone)
    first = first or last.replace(day=1)
    if first > last:
        raise Unacceptable([Fault("from", "must not be after `to`")])
    if last - first > LONGEST_SPAN:
        raise Unacceptable([Fault("from", "must be within ten years of `to`")])
    found = await models.charges(staff.organization_id, start_of(first, zone), end_of(last, zone))
    of = lines(found, key_of(by, zone))
    names: dict[str, str] = {}
    if by == "campaign":
        ids = [UUID(each.key) for each in of]
        known = await models.campaign_names(staff.organization_id, ids)
        # What belongs to no campaign is named by what it was for.
        names = {str(each.campaign_id): str(each.purpose) for each in found}
        names |= {str(key): name for key, name in known.items()}
    return Used(first, last, by, zone, settings.prices, of, names, total(of))
