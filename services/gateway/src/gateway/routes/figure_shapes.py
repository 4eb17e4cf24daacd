"""How the organisation's figures look in answers."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from contracts.events.campaign import CampaignStatus
from gateway.domain.usage import Amount, By, Line
from gateway.handlers.figures import Home, Used
from gateway.routes.organization_shapes import StopView

_STAGES: dict[str, tuple[CampaignStatus, ...]] = {
    "draft": (CampaignStatus.DRAFT,),
    "scheduled": (CampaignStatus.SCHEDULED,),
    "in_process": (CampaignStatus.SENDING, CampaignStatus.PAUSED),
    "completed": (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED),
    "archived": (CampaignStatus.ARCHIVED,),
}


class StagesView(BaseModel):
    """Campaigns by the five stages of their life."""

    draft: int
    scheduled: int
    in_process: int = Field(description="Sending, and paused.")
    completed: int = Field(description="Completed, and cancelled.")
    archived: int


class HeldActivitiesView(BaseModel):
    """Nothing is written to iMIS, which doesn't take the account."""

    reason: str
    since: AwareDatetime


class DashboardView(BaseModel):
    """What the organisation has sent, and what it may still send today."""

    performance_level: Literal["Flex"] = Field(
        default="Flex", description="Pay for each text that is used."
    )
    day: date = Field(description="Today, in the organisation's time zone.")
    time_zone: str
    texts_today: int
    texts_this_month: int
    texts_lifetime: int
    failed_lifetime: int
    segments_per_day: int
    segments_used_today: int = Field(
        description="Of what Twilio accepted, failed later or not, or may have accepted."
    )
    segments_left_today: int
    stages: StagesView
    campaigns: dict[CampaignStatus, int]
    stopped: StopView | None
    activities_held: HeldActivitiesView | None
    open_reviews: int = Field(description="Texts that a person has to read; 1,000 at most.")

    @classmethod
    def of(cls, home: Home) -> "DashboardView":
        """Show a home page."""
        used, held, stopped = home.used, home.activities_held, home.settings.stopped
        counts = {each: home.campaigns.get(each, 0) for each in CampaignStatus}
        counts.pop(CampaignStatus.DELETED)
        limit = home.settings.segments_per_day
        return cls(
            day=home.day,
            time_zone=home.settings.time_zone,
            texts_today=used.texts_today,
            texts_this_month=used.texts_this_month,
            texts_lifetime=used.texts_lifetime,
            failed_lifetime=used.failed_lifetime,
            segments_per_day=limit,
            segments_used_today=home.used.segments_today,
            segments_left_today=max(0, limit - home.used.segments_today),
            stages=StagesView(
                **{name: sum(counts[each] for each in those) for name, those in _STAGES.items()}
            ),
            campaigns=counts,
            stopped=None if stopped is None else StopView(**stopped.model_dump()),
            activities_held=(
                None if held is None else HeldActivitiesView(reason=held.reason, since=held.since)
            ),
            open_reviews=home.open_reviews,
        )


class AmountView(BaseModel):
    """Texts and their segments."""

    messages: int
    segments: int

    @classmethod
    def of(cls, amount: Amount) -> "AmountView":
        """Show an amount."""
        return cls(messages=amount.messages, segments=amount.segments)


class UsageLine(BaseModel):
    """The usage of a day, a month or a campaign."""

    key: str = Field(examples=["2026-03-02", "2026-03"])
    name: str | None = Field(description="A campaign's name.")
    charged: AmountView
    uncharged: dict[str, AmountView] = Field(
        description="By why: `failed`, `opted_out`, `refused`, `simulated`, `unknown`."
    )
    cost: str | None = Field(description="Null where no price is set.", examples=["12.45"])


class UsageView(BaseModel):
    """What was used in a time, and what it costs."""

    first: date
    last: date
    time_zone: str
    by: By
    currency: str
    items: list[UsageLine]
    total: UsageLine

    @classmethod
    def of(cls, used: Used) -> "UsageView":
        """Show what was used."""

        def shown(line: Line) -> UsageLine:
            cost = line.cost(used.prices)
            return UsageLine(
                key=line.key,
                name=used.names.get(line.key),
                charged=AmountView.of(line.charged),
                uncharged={k: AmountView.of(each) for k, each in line.uncharged.items()},
                cost=None if cost is None else format(cost, "f"),
            )

        return cls(
            first=used.first,
            last=used.last,
            time_zone=used.time_zone,
            by=used.by,
            currency=used.prices.currency,
            items=[shown(each) for each in used.lines],
            total=shown(used.total),
        )
