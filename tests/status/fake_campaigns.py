"""What the status service knows of campaigns, in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from contracts.events.campaign import CampaignEvent, CampaignStatus
from contracts.events.organization import OrganizationSettings
from status.domain.spike import Campaign, Outcomes, follow


@dataclass
class FakeCampaigns:
    kept: dict[UUID, Campaign] = field(default_factory=dict)
    known_settings: dict[UUID, OrganizationSettings] = field(default_factory=dict)

    async def follow(self, events: Sequence[CampaignEvent]) -> None:
        for event in events:
            new = Campaign(event.campaign_id, event.organization_id)
            known = self.kept.get(event.campaign_id, new)
            self.kept[event.campaign_id] = follow(known, event)

    async def add(self, outcomes: Mapping[UUID, Outcomes]) -> list[Campaign]:
        for key, each in outcomes.items():
            known = self.kept.get(key) or Campaign(key, each.organization_id)
            self.kept[key] = replace(known, outcomes=known.outcomes + each.outcomes)
        return [self.kept[key] for key, each in outcomes.items() if each.failures]

    async def keep(self, campaigns: Sequence[Campaign]) -> None:
        self.kept |= {each.campaign_id: each for each in campaigns}

    async def kept_back(self, campaigns: Collection[UUID]) -> set[UUID]:
        states = {CampaignStatus.PAUSED, CampaignStatus.CANCELLED}
        return {
            each for each in campaigns if each in self.kept and self.kept[each].status in states
        }

    async def settings(self, organizations: Collection[UUID]) -> dict[UUID, OrganizationSettings]:
        known = self.known_settings
        return {each: known[each] for each in organizations if each in known}
