"""Campaigns and their previews in memory."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tests.gateway.memory import Part

from contracts.envelope import Envelope
from contracts.events.audience import (
    AudiencePreviewed,
    AudiencePreviewProgressed,
    AudiencePreviewRequested,
)
from contracts.events.campaign import CampaignEvent, CampaignKind, CampaignStatus
from gateway.domain.campaign import OVER, present_run
from gateway.domain.records import Preview, question_of


class Campaigns(Part):
    def _states(self) -> dict[UUID, Envelope[CampaignEvent]]:
        states: dict[UUID, Envelope[CampaignEvent]] = {}
        for (campaign_id, _), envelope in sorted(self.memory.events.items()):
            states[campaign_id] = envelope
        return states

    async def get(
        self, organization_id: UUID, campaign_id: UUID, *, hold: bool = False
    ) -> Envelope[CampaignEvent] | None:
        known = self._states().get(campaign_id)
        return known if known and known.event.organization_id == organization_id else None

    async def held(self, campaign_ids: Sequence[UUID]) -> dict[UUID, Envelope[CampaignEvent]]:
        return {k: v for k, v in self._states().items() if k in campaign_ids}

    async def save(self, events: Sequence[Envelope[CampaignEvent]]) -> None:
        for each in events:
            place = (each.event.campaign_id, each.event.sequence)
            if place in self.memory.events:
                raise LookupError("there is such an event already")
            self.memory.events[place] = each

    async def page(
        self,
        organization_id: UUID,
        *,
        status: CampaignStatus | None,
        kind: CampaignKind | None = None,
        before: UUID | None,
        limit: int,
    ) -> list[CampaignEvent]:
        mine = [
            each.event
            for campaign_id, each in self._states().items()
            if each.event.organization_id == organization_id
            and each.event.status is not CampaignStatus.DELETED
            and status in {None, each.event.status}
            and kind in {None, each.event.definition.kind}
            and (before is None or campaign_id < before)
        ]
        return sorted(mine, key=lambda each: each.campaign_id, reverse=True)[:limit]

    async def of_run(self, organization_id: UUID, run_id: UUID) -> CampaignEvent | None:
        mine = await self.page(organization_id, status=None, before=None, limit=1000)
        return next((each for each in mine if present_run(each) == run_id), None)

    async def history(
        self, organization_id: UUID, campaign_id: UUID, *, after: int, limit: int
    ) -> list[CampaignEvent]:
        mine = [
            each.event
            for (campaign, sequence), each in sorted(self.memory.events.items())
            if campaign == campaign_id and sequence > after
        ]
        return [each for each in mine if each.organization_id == organization_id][:limit]

    async def heard(self, runs: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], int]:
        wanted = {run for run, _ in runs}
        return {k: v for k, v in self.memory.heard.items() if k[0] in wanted}

    async def hear(self, sequences: Mapping[tuple[UUID, str], int]) -> None:
        for place, sequence in sequences.items():
            self.memory.heard[place] = max(sequence, self.memory.heard.get(place, 0))

    async def aged(
        self, changed_before: Mapping[UUID, datetime], *, limit: int
    ) -> list[Envelope[CampaignEvent]]:
        found = [
            each
            for _, each in sorted(self._states().items())
            if each.event.status in OVER
            and each.event.organization_id in changed_before
            and each.event.occurred_at < changed_before[each.event.organization_id]
        ]
        return found[:limit]

    async def awaiting(self, *, after: UUID | None, limit: int) -> list[Envelope[CampaignEvent]]:
        found = [
            each
            for key, each in sorted(self._states().items())
            if each.event.status is CampaignStatus.SCHEDULED
            and each.event.definition.kind is CampaignKind.RECURRING
            and (after is None or key > after)
        ]
        return found[:limit]

    async def counts(self, organization_id: UUID) -> dict[CampaignStatus, int]:
        counts: dict[CampaignStatus, int] = {}
        for each in self._states().values():
            if each.event.organization_id == organization_id:
                counts[each.event.status] = counts.get(each.event.status, 0) + 1
        return counts


class Previews(Part):
    async def ask(self, request: AudiencePreviewRequested) -> None:
        self.memory.asked[request.preview_id] = request

    async def receive(self, results: Sequence[AudiencePreviewed]) -> None:
        for each in results:
            asked = self.memory.asked.get(each.preview_id)
            if asked is not None and asked.organization_id == each.organization_id:
                self.memory.came.setdefault(each.preview_id, each)

    async def get(self, organization_id: UUID, preview_id: UUID) -> Preview | None:
        asked = self.memory.asked.get(preview_id)
        if asked is None or asked.organization_id != organization_id:
            return None
        come = self.memory.come.get(preview_id)
        if come is None:
            return Preview(asked, self.memory.came.get(preview_id))
        return Preview(asked, self.memory.came.get(preview_id), come.rows_read, come.rows_expected)

    async def progress(self, events: Sequence[AudiencePreviewProgressed]) -> None:
        for each in events:
            asked = self.memory.asked.get(each.preview_id)
            known = self.memory.come.get(each.preview_id)
            ours = asked is not None and asked.organization_id == each.organization_id
            if ours and (known is None or known.rows_read < each.rows_read):
                self.memory.come[each.preview_id] = each

    async def forget(self, *, before: datetime) -> None:
        kept = self.memory.asked.items()
        self.memory.asked = {k: v for k, v in kept if v.occurred_at >= before}

    async def newest(
        self, organization_id: UUID, campaign_id: UUID, question: str, *, since: datetime
    ) -> Preview | None:
        found = [
            Preview(asked, came)
            for key, asked in self.memory.asked.items()
            if (came := self.memory.came.get(key)) is not None
            and (asked.organization_id, asked.campaign_id) == (organization_id, campaign_id)
            and question_of(asked) == question
            and asked.occurred_at >= since
            and came.failure is None
        ]
        return max(found, key=lambda each: each.request.occurred_at, default=None)
