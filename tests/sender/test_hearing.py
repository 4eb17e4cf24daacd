"""X-3: whoever opted out is known to each process before it sends anything."""

import asyncio
from typing import cast

import pytest
from tests.harness import eventually
from tests.sender.test_dispatch import LANE, NOW

from sender.dispatch import LaneDispatch
from sender.domain.messages import Lane
from sender.lanes import Dispatch
from sender.outcomes import Outcomes
from sender.ports import Ledger
from sender.subscribers import heard_first, subscriptions


class Hearing:
    """The opt-outs' topic, which can't be read at first."""

    def __init__(self) -> None:
        self.can_be_read = False
        self.looks = 0

    async def read_to_end(self) -> bool:
        self.looks += 1
        return self.can_be_read


class OneLane:
    """A ledger with a lane, and the lane's loop."""

    def __init__(self) -> None:
        self.began = False
        self.stopping = False

    async def lanes(self) -> list[Lane]:
        return [LANE]

    async def run(self) -> None:
        self.began = True

    def wake(self) -> None:
        pass


async def test_nothing_is_sent_before_every_opt_out_is_read() -> None:
    hearing, lane = Hearing(), OneLane()
    dispatch = Dispatch(
        lambda _: cast(LaneDispatch, lane),
        cast(Ledger, lane),
        Outcomes(cast(Ledger, lane), lambda: NOW),
        [hearing],
    )
    task = asyncio.create_task(dispatch.run())
    # More than one look, and woken in between: neither makes it send.
    await eventually(lambda: hearing.looks)
    dispatch.wake()
    await eventually(lambda: hearing.looks > 1)
    assert not lane.began
    hearing.can_be_read = True
    dispatch.wake()
    await eventually(lambda: lane.began)
    dispatch.stop()
    await task


async def test_it_can_be_stopped_while_it_waits_for_them() -> None:
    hearing, lane = Hearing(), OneLane()
    outcomes = Outcomes(cast(Ledger, lane), lambda: NOW)
    dispatch = Dispatch(lambda _: cast(LaneDispatch, lane), cast(Ledger, lane), outcomes, [hearing])
    task = asyncio.create_task(dispatch.run())
    await eventually(lambda: hearing.looks)
    dispatch.stop()
    await asyncio.wait_for(task, 10)
    assert not lane.began


@pytest.mark.parametrize(
    "topic", ["consent.changed", "campaign.lifecycle", "run.commands", "organization.settings"]
)
def test_x3_x6_each_process_hears_of_opt_outs_and_stops_by_itself(topic: str) -> None:
    """While one's partitions lie still, the others must know who has opted out, or is stopped.

    And whatever is read to its end first is read by that very group.
    """

    def nothing() -> None: ...

    def groups(instance: str) -> set[str]:
        return {
            each.group
            for each in subscriptions(
                instance=instance,
                wake=nothing,
                wake_urgent=nothing,
                stops_changed=nothing,
                settings_changed=nothing,
            )
            if topic in each.topics and each.group
        }

    [group] = groups("sender-1")
    assert (group, topic) in heard_first("sender-1")
    assert groups("sender-2") != {group}
