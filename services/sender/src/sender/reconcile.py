"""Doubts are settled with Twilio, or held for a person; never by sending again on a guess."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chassis.logs import describe, get_logger
from sender.domain.doubts import (
    CLOCK_SKEW,
    Listed,
    LookAgain,
    NotThere,
    candidates,
    conclude,
)
from sender.domain.messages import Doubt, Lane
from sender.ports import CarrierAway, Carriers, Conclusion, Heard, Ledger
from sender.settings import SenderSettings

AT_ONCE = 2000
PAGE = 1000
"""How many texts a page of Twilio's list holds."""
PATIENCE_SECONDS = 10.0
"""How long one look may go on before its answers are written down."""


class Pace:
    """Gives out turns to ask an account, evenly and no more than so many a second."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1.0 / per_second
        self._next = 0.0

    @property
    def wait_seconds(self) -> float:
        """How long the next turn is away."""
        return max(0.0, self._next - time.monotonic())

    async def turn(self) -> None:
        """Wait for a turn."""
        wait = self.wait_seconds
        self._next = time.monotonic() + wait + self._interval
        await asyncio.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Leave the account alone: it said that it is too busy."""
        self._next = max(self._next, time.monotonic() + seconds)


class Reconciliation:
    """Looks at the doubts that are due."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        carriers: Carriers,
        callbacks: Heard,
        settings: SenderSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._carriers = carriers
        self._callbacks = callbacks
        self._settings = settings
        self._clock = clock
        self._paces: dict[UUID, Pace] = defaultdict(lambda: Pace(settings.looks_per_second))

    async def step(self) -> bool:
        """Look at the doubts that are due; returns whether there may be more."""
        at = self._clock()
        grace = timedelta(seconds=self._settings.grace)
        await self._ledger.doubt_overdue(at=at, look_at=at + grace)
        # Nobody else asks about the same ones meanwhile.
        until = at + timedelta(seconds=2 * PATIENCE_SECONDS)
        doubts = await self._ledger.doubts(at=at, until=until, limit=AT_ONCE)
        if not doubts:
            return False
        by_account: dict[UUID, list[Doubt]] = defaultdict(list)
        for doubt in doubts:
            by_account[doubt.organization_id].append(doubt)
        parts = await asyncio.gather(*(self._look(each) for each in by_account.values()))
        answered = [each for part, _ in parts for each in part]
        later = self._clock() + timedelta(seconds=self._settings.second_look)
        conclusions = await self._conclude(answered, later)
        conclusions += [Conclusion(doubt, LookAgain(later)) for _, part in parts for doubt in part]
        looked_at = {each.doubt.message_id for each in conclusions}
        not_yet = [doubt for doubt in doubts if doubt.message_id not in looked_at]
        conclusions += [Conclusion(doubt, LookAgain(self._clock())) for doubt in not_yet]
        await self._ledger.conclude(conclusions)
        for each in conclusions:
            if isinstance(each.verdict, NotThere):
                get_logger().info(
                    "A doubtful message was not accepted and is ready again.",
                    message_id=str(each.doubt.message_id),
                )
        return bool(answered) and (bool(not_yet) or len(doubts) == AT_ONCE)

    async def _look(
        self, doubts: Sequence[Doubt]
    ) -> tuple[list[tuple[Doubt, list[Listed]]], list[Doubt]]:
        """Ask about one account's doubts; returns the answers, and what can't be answered now.

        What there was no time for is in neither, and is due still.
        """
        account = doubts[0].organization_id
        pace = self._paces[account]
        answered: list[tuple[Doubt, list[Listed]]] = []
        began = time.monotonic()
        try:
            carrier = await self._carriers.of(account)
            for lane, to, about in await self._questions(doubts):
                if time.monotonic() + pace.wait_seconds > began + PATIENCE_SECONDS:
                    break
                since = min(each.claimed_at for each in about) - CLOCK_SKEW
                listed = await carrier.listed(lane, to=to, since=since, turn=pace.turn)
                answered += _to_each(about, listed)
        except CarrierAway as error:
            get_logger().warning("Twilio can't be asked about doubts yet.", **describe(error))
            pace.hold(error.seconds or self._settings.second_look)
            looked_at = {each.message_id for each, _ in answered}
            return answered, [each for each in doubts if each.message_id not in looked_at]
        return answered, []

    async def _questions(
        self, doubts: Sequence[Doubt]
    ) -> list[tuple[Lane, str | None, list[Doubt]]]:
        """Ask for a whole lane where that takes fewer pages than asking for each number."""
        by_lane: dict[Lane, list[Doubt]] = defaultdict(list)
        for doubt in doubts:
            by_lane[doubt.lane].append(doubt)
        questions: list[tuple[Lane, str | None, list[Doubt]]] = []
        for lane, about in by_lane.items():
            oldest = min(each.claimed_at for each in about)
            seconds = (self._clock() - oldest + CLOCK_SKEW).total_seconds()
            # A lane has sent no more texts than segments.
            pages = 1 + int(await self._carriers.rate(lane) * seconds / PAGE)
            if pages < len(about):
                questions.append((lane, None, about))
            else:
                questions += [(lane, each.to_number, [each]) for each in about]
        return questions

    async def _conclude(
        self, answered: Sequence[tuple[Doubt, list[Listed]]], later: datetime
    ) -> list[Conclusion]:
        if not answered:
            return []
        # Asked after the lists: what had come in until then, a callback would have told.
        read_to_end = await self._callbacks.read_to_end()
        sids = {each.sid for doubt, listed in answered for each in candidates(doubt, listed)}
        known = await self._ledger.known_sids(sids)
        return [
            Conclusion(
                doubt,
                conclude(doubt, listed, known=known, read_to_end=read_to_end, later=later),
            )
            for doubt, listed in answered
        ]


def _to_each(about: Sequence[Doubt], listed: Sequence[Listed]) -> list[tuple[Doubt, list[Listed]]]:
    by_number: dict[str, list[Listed]] = defaultdict(list)
    for entry in listed:
        by_number[entry.to_number].append(entry)
    return [(each, by_number[each.to_number]) for each in about]
