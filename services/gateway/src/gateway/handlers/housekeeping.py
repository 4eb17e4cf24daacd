"""What the gateway does by itself: puts campaigns away, ends those that have no time left."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from contracts.envelope import Envelope
from contracts.envelope import seal as sealed
from contracts.events.campaign import CampaignEvent
from gateway.domain import campaign as aggregate
from gateway.domain.following import exhausted
from gateway.domain.transitions import Refused
from gateway.ports import Clock, Desk, Work

BY = "gateway"
BATCH = 200
EVERYBODY = 1_000_000
KEPT_FOR = timedelta(days=1)
"""How long a preview is kept: it holds some members' texts."""


class Housekeeping:
    """Goes through the campaigns, a batch a step."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._after: UUID | None = None

    async def archive(self) -> bool:
        """Put away what has been over for as long as its organisation says; whether more is."""
        async with self._desk.work() as work:
            at = self._clock()
            before = {
                each.organization_id: at - timedelta(days=each.settings.archive_after_days)
                for each in await work.organizations.every(limit=EVERYBODY)
            }
            aged = await work.campaigns.aged(before, limit=BATCH)
            steps = [(each, aggregate.archive(each.event, at=at, by=BY)) for each in aged]
            await _save(work, steps)
        return len(aged) == BATCH

    async def end(self) -> bool:
        """Complete recurring campaigns whose last time has passed; whether there is more to see."""
        async with self._desk.work() as work:
            at = self._clock()
            seen = await work.campaigns.awaiting(after=self._after, limit=BATCH)
            await _save(work, [(each, exhausted(each.event, at=at, by=BY)) for each in seen])
        more = len(seen) == BATCH
        self._after = seen[-1].event.campaign_id if more else None
        return more

    async def forget(self) -> bool:
        """Drop previews that nobody will look at any more."""
        async with self._desk.work() as work:
            await work.previews.forget(before=self._clock() - KEPT_FOR)
        return False


async def _save(
    work: Work,
    steps: Sequence[tuple[Envelope[CampaignEvent], CampaignEvent | Refused | None]],
) -> None:
    changed: list[Envelope[CampaignEvent]] = [
        sealed(step, because=known.id) for known, step in steps if isinstance(step, CampaignEvent)
    ]
    await work.campaigns.save(changed)
    for each in changed:
        work.outbox.publish_sealed(each)
