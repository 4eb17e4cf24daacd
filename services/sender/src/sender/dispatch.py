"""Dispatch: limiter, then claim, then POST, then outcome; one loop a lane.

Only what the limiter allows and a connection is free for is claimed, so that a stop, an opt-out
or a crash finds as little as possible under way.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.batches import is_outage
from chassis.logs import describe, get_logger
from sender.domain.messages import Claim, Lane
from sender.outcomes import Outcomes
from sender.ports import (
    URGENT_AT_ONCE,
    CarrierAway,
    Carriers,
    Grant,
    InDoubt,
    LeaseOver,
    Ledger,
    Limiter,
    Picked,
    Result,
    Throttled,
)
from sender.settings import SenderSettings

STARVED_SECONDS = 1.0
FRESH_SECONDS = 0.5
STALE_SECONDS = 1.5
"""After how long what is stopped is read anew, and is no longer posted by: 2 s at most (X-6)."""
HELD_SECONDS = 2.0
"""How often a lane over the day's limit looks whether there is a new day, or a higher limit."""


class LaneDispatch:
    """Sends what waits in one lane, as fast as its number may."""

    def __init__(
        self,
        lane: Lane,
        *,
        ledger: Ledger,
        limiter: Limiter,
        carriers: Carriers,
        outcomes: Outcomes,
        settings: SenderSettings,
        clock: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lane = lane
        self._ledger = ledger
        self._limiter = limiter
        self._carriers = carriers
        self._outcomes = outcomes
        self._settings = settings
        self._clock = clock
        self._ticks = ticks
        self._wake = asyncio.Event()
        self._posting: set[asyncio.Task[None]] = set()
        self._hold_until = 0.0
        self._least = 1
        # Some may be there from before this process began.
        self._urgent = True
        self._looked_at = 0.0
        self.stopping = False

    def wake(self) -> None:
        """Say that something waits, or that a connection is free."""
        self._wake.set()

    def wake_urgent(self) -> None:
        """Say that something urgent waits: it needs not wait until a dearer message fits."""
        self._urgent = True
        self._least = 1
        self._wake.set()

    async def run(self) -> None:
        """Send until told to stop; then wait for what is under way."""
        while not self.stopping:
            self._wake.clear()
            try:
                pause = await self._round()
            except Exception as error:
                if not is_outage(error) and not isinstance(error, CarrierAway):
                    raise
                get_logger().warning("Sending waits for what is away.", **describe(error))
                pause = 0.5
            await self._rest(pause)
        if self._posting:
            await asyncio.wait(self._posting)

    async def _rest(self, seconds: float) -> None:
        if seconds <= self._settings.round:
            # A due round is short: being woken in it would only make the batches smaller.
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _round(self) -> float:
        """Send what may leave now; returns how long to rest."""
        started = time.monotonic()
        if started < self._hold_until:
            return self._hold_until - started
        free = self._settings.connections - self._outcomes.open_in(self._lane)
        bulk = self._free_for_bulk(free)
        if not bulk and not (free > 0 and self._looks_for_urgent(started)):
            return STARVED_SECONDS
        rate = await self._carriers.rate(self._lane)
        if rate <= 0:
            return STARVED_SECONDS
        want = max(bulk or min(free, URGENT_AT_ONCE), self._least)
        asked_at = self._ticks()
        grant = await self._limiter.take(self._lane, rate=rate, want=want, least=self._least)
        if grant.segments == 0:
            return max(grant.wait_seconds, 0.001)
        self._looked_at = started
        picked = await self._send(grant, asked_at, limit=bulk, urgent=min(free, URGENT_AT_ONCE))
        self._urgent = picked.more_urgent
        unused = grant.segments - picked.segments
        if unused:
            await self._limiter.give_back(self._lane, rate=rate, segments=unused)
        # The next message may be dearer than what was granted: then wait until it fits whole.
        self._least = picked.next_cost or 1
        if picked.left_out:
            return 0.0
        if picked.held:
            return HELD_SECONDS
        if picked.next_cost is None and unused:
            return STARVED_SECONDS
        return max(0.0, self._settings.round - (time.monotonic() - started))

    def _free_for_bulk(self, free: int) -> int:
        """Return how many connections campaigns may take; 0 while that is too few to be worth it.

        A few at a time would cost a transaction each, and some are kept free for what is urgent.
        """
        connections = self._settings.connections
        left = free - min(URGENT_AT_ONCE, connections // 4)
        return left if left >= connections / 4 else 0

    def _looks_for_urgent(self, at: float) -> bool:
        """Whether something urgent may wait: we were told so, or haven't looked for a while.

        Another process may have taken it in.
        """
        return self._urgent or at - self._looked_at >= STARVED_SECONDS

    async def _send(self, grant: Grant, asked_at: float, *, limit: int, urgent: int) -> Picked:
        """Claim what was granted and post it; of stops, what was so when it was asked is known."""
        at = self._clock()
        until = at + timedelta(seconds=self._settings.lease)
        still_ours = self._until(at)
        picked = await self._ledger.claim(
            self._lane,
            at=at,
            until=until,
            budget=grant.segments,
            limit=limit,
            urgent=urgent,
            stops=grant.stops,
        )
        self._outcomes.opened(self._lane, len(picked.claims))
        seen_at = asked_at
        if picked.claims and self._ticks() - asked_at > FRESH_SECONDS:
            # What was stopped while others took their time must not leave any more.
            seen_at = self._ticks()
            if await self._stopped_since(grant, picked):
                return picked

        def fit() -> bool:
            return still_ours() and self._ticks() - seen_at < STALE_SECONDS

        for claim in picked.claims:
            task = asyncio.create_task(self._post(claim, fit))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)
        return picked

    async def _stopped_since(self, grant: Grant, picked: Picked) -> bool:
        """Whether anything was stopped since a grant, or nobody can tell; then all waits again."""
        same = False
        try:
            same = await self._limiter.stops(self._lane) == grant.stops
        finally:
            for claim in () if same else picked.claims:
                self._outcomes.put(self._lane, Result(claim, None, again_at=self._clock()))
        return not same

    def _until(self, at: datetime) -> Callable[[], bool]:
        """Return what says whether a request that begins now would end within the lease.

        By both clocks: one stands still while the machine sleeps, the other can be set back.
        """
        seconds = self._settings.lease - self._settings.request_timeout
        last, last_moment = self._ticks() + seconds, at + timedelta(seconds=seconds)
        return lambda: self._ticks() < last and self._clock() < last_moment

    async def _post(self, claim: Claim, still_ours: Callable[[], bool]) -> None:
        """Post one message and hand on what became of it."""
        # Whatever nobody foresaw may have happened after the request had left.
        result = Result(claim, None)
        try:
            carrier = await self._carriers.of(self._lane.organization_id)
            outcome = await carrier.send(self._lane, claim, still_ours=still_ours)
            result = Result(claim, outcome)
        except LeaseOver:
            result = Result(claim, None, again_at=self._clock())
        except CarrierAway:
            again = self._clock() + timedelta(seconds=STARVED_SECONDS)
            result = Result(claim, None, again_at=again)
        except Throttled as throttled:
            self._hold_until = time.monotonic() + throttled.seconds
            again = self._clock() + timedelta(seconds=throttled.seconds)
            result = Result(claim, None, again_at=again)
        except InDoubt:
            result = Result(claim, None)
        finally:
            self._outcomes.put(self._lane, result)
