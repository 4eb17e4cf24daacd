"""One loop for each number that has something to send, once all stops and opt-outs are known."""

import asyncio
from collections.abc import Callable, Sequence

from chassis.batches import is_outage
from chassis.logs import describe, get_logger
from sender.dispatch import STARVED_SECONDS, LaneDispatch
from sender.domain.messages import Lane
from sender.outcomes import Outcomes
from sender.ports import Heard, Ledger


class Dispatch:
    """Keeps one loop a lane going."""

    name = "sender.dispatch"

    def __init__(
        self,
        make: Callable[[Lane], LaneDispatch],
        ledger: Ledger,
        outcomes: Outcomes,
        heard: Sequence[Heard],
    ) -> None:
        self._make = make
        self._heard = heard
        self._ledger = ledger
        self._outcomes = outcomes
        self._lanes: dict[Lane, LaneDispatch] = {}
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Say that there is something to send."""
        self._wake.set()
        for lane in self._lanes.values():
            lane.wake()

    def wake_urgent(self) -> None:
        """Say that something urgent waits."""
        self._wake.set()
        for lane in self._lanes.values():
            lane.wake_urgent()

    async def run(self) -> None:
        """Find lanes and send, until told to stop; a lane that fails takes the process along."""
        outcomes = asyncio.create_task(self._outcomes.run(), name="sender.outcomes")
        await self._hear_first()
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                self._wake.clear()
                for lane in await self._known_lanes():
                    if lane not in self._lanes:
                        self._lanes[lane] = self._make(lane)
                        group.create_task(self._lanes[lane].run())
                if outcomes.done():
                    break
                await self._rest()
        self._outcomes.stop()
        await outcomes

    async def _hear_first(self) -> None:
        """Return once every opt-out and stop of the past is known; before, nothing may be sent."""
        while not self._stopping and not await self._all_heard():
            self._wake.clear()
            get_logger().warning("Sending waits until all opt-outs and stops are read.")
            await self._rest()

    async def _all_heard(self) -> bool:
        return all(await asyncio.gather(*(each.read_to_end() for each in self._heard)))

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(STARVED_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _known_lanes(self) -> list[Lane]:
        try:
            return await self._ledger.lanes()
        except Exception as error:
            if not is_outage(error):
                raise
            get_logger().warning("The ledger can't be read.", **describe(error))
            return []

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        for lane in self._lanes.values():
            lane.stopping = True
        self.wake()
