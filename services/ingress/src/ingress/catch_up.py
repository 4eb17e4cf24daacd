"""Texts whose webhooks never reached us: they are looked for in Twilio's own list (TM-20, X-1).

Twilio tells a text once. While this process is down, or can keep nothing, a STOP would be lost;
so each number's list is read when the process starts, after each moment in which something may
have been missed, and now and then anyway.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from chassis.logs import get_logger
from contracts.envelope import seal
from contracts.events.base import Event
from contracts.events.provider import TwilioMessageReceived
from ingress import metrics
from ingress.domain import Lane, text_listed
from ingress.handlers import KeptIn
from ingress.ports import ListAway, ListRefused, Reading, Readings, TextList
from ingress.settings import IngressSettings

_REMEMBERED = 100_000


class CatchUp:
    """Reads the lists that are due; a text that is known already doesn't leave again."""

    def __init__(
        self,
        *,
        readings: Readings,
        text_list: TextList,
        settings: IngressSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._readings = readings
        self._text_list = text_list
        self._settings = settings
        self._clock = clock
        self._taken: deque[TwilioMessageReceived] = deque(maxlen=_REMEMBERED)
        self._planned: set[Lane] = set()
        # Until this process listened, everything may have been missed.
        self._missed = True

    def took(self, event: Event, kept_in: KeptIn) -> None:
        """Know that a webhook was kept; by the spool, when others may have been lost."""
        if isinstance(event, TwilioMessageReceived):
            self._taken.append(event)
        if kept_in is KeptIn.SPOOL:
            self.missed()

    def missed(self) -> None:
        """Know that a webhook could not be taken."""
        self._missed = True

    async def step(self) -> bool:
        """Read the lists that are due; returns whether there may be more."""
        at = self._clock()
        await self._note_taken(at)
        new = set(self._text_list.lanes()) - self._planned
        if new:
            await self._readings.plan(new, at=at)
            self._planned |= new
        if self._missed:
            # Taken back before the wait: what is missed meanwhile counts for the next step.
            self._missed = False
            try:
                await self._readings.hurry()
            except BaseException:
                self._missed = True
                raise
        claimed = await self._readings.claim(at=at, limit=self._settings.catch_up_at_once)
        await asyncio.gather(*(self._read(each) for each in claimed))
        if claimed:
            reach = self._settings.catch_up_first_seconds + self._settings.catch_up_overlap_seconds
            await self._readings.forget(before=at - timedelta(seconds=reach))
        return len(claimed) == self._settings.catch_up_at_once

    async def _note_taken(self, at: datetime) -> None:
        texts = {(each.organization_id, each.message_sid) for each in self._taken}
        count = len(self._taken)
        await self._readings.note(texts, at=at)
        for _ in range(count):
            self._taken.popleft()

    async def _read(self, reading: Reading) -> None:
        began = self._clock()
        overlap = timedelta(seconds=self._settings.catch_up_overlap_seconds)
        first = began - timedelta(seconds=self._settings.catch_up_first_seconds)
        since = first if reading.covered_until is None else reading.covered_until - overlap
        organization = reading.lane.organization_id
        try:
            texts = await self._text_list.texts(reading.lane, since=since)
        except ListAway as away:
            pause = max(away.again_seconds or 0.0, self._settings.catch_up_pause_seconds)
            await self._give_back(reading, seconds=pause, result="away")
            return
        except ListRefused:
            await self._give_back(
                reading, seconds=self._settings.catch_up_seconds, result="refused"
            )
            return
        found = await self._readings.settle(
            reading,
            [seal(text_listed(each, organization_id=organization)) for each in texts],
            covered_until=began,
            at=self._clock(),
        )
        metrics.LISTS_READ.labels("read").inc()
        if found:
            metrics.CAUGHT_UP.inc(found)
            get_logger().warning(
                "Texts were found at Twilio that no webhook had told.",
                organization_id=str(organization),
                count=found,
            )

    async def _give_back(self, reading: Reading, *, seconds: float, result: str) -> None:
        metrics.LISTS_READ.labels(result).inc()
        get_logger().warning(
            "Twilio's list of texts can't be read.",
            organization_id=str(reading.lane.organization_id),
            reason=result,
            seconds=seconds,
        )
        await self._readings.give_back(reading, again_at=self._clock() + timedelta(seconds=seconds))
