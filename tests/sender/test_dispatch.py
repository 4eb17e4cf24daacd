"""Dispatch hands on an outcome for each claim, whatever happens to its request."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import SecretStr

from chassis.batches import Outage
from sender.dispatch import HELD_SECONDS, LaneDispatch
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

NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
LANE = Lane(uuid4(), "+18885550100")
SETTINGS = SenderSettings(redis_url=SecretStr("redis://127.0.0.1:1"), public_url="http://127.0.0.1")


class OneMessage:
    """A ledger with one message to send, an open limiter, and a carrier that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._waiting = [Claim(uuid4(), uuid4(), uuid4(), "+12025550143", "Hi", 1, NOW)]
        self.settled: list[Result] = []
        self.asked: list[bool] = []

    async def claim(self, lane: Lane, **_: object) -> Picked:
        claims, self._waiting = self._waiting, []
        return Picked(claims)

    async def settle(self, results: list[Result], *, at: datetime) -> None:
        self.settled += results

    async def rate(self, lane: Lane) -> float:
        return 100.0

    async def take(self, lane: Lane, *, rate: float, want: int, least: int) -> Grant:
        return Grant(want, 0)

    async def stops(self, lane: Lane) -> dict[str, int]:
        return {}

    async def give_back(self, lane: Lane, *, rate: float, segments: int) -> None:
        pass

    async def of(self, organization_id: object) -> "OneMessage":
        return self

    async def send(self, lane: Lane, claim: Claim, *, still_ours: Callable[[], bool]) -> Any:
        self.asked.append(still_ours())
        raise self._error


# What nobody foresaw ends the task of the one request, and asyncio tells of it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("error", "waits_again"),
    [
        (InDoubt(), False),
        (RuntimeError("nobody foresaw this"), False),
        (Throttled(1), True),
        (CarrierAway(), True),
        (LeaseOver(), True),
    ],
)
async def test_each_claim_has_an_outcome(error: Exception, *, waits_again: bool) -> None:
    fake = OneMessage(error)
    outcomes, dispatch = dispatching(fake)
    await dispatch._round()
    dispatch.stopping = True
    await dispatch.run()
    outcomes.stop()
    await outcomes.run()
    [result] = fake.settled
    assert result.outcome is None
    assert (result.again_at is not None) is waits_again
    assert outcomes.open_in(LANE) == 0
    assert fake.asked == [True]


def dispatching(
    fake: OneMessage,
    *,
    clock: Callable[[], datetime] = lambda: NOW,
    ticks: Callable[[], float] = time.monotonic,
) -> tuple[Outcomes, LaneDispatch]:
    outcomes = Outcomes(cast(Ledger, fake), clock)
    dispatch = LaneDispatch(
        LANE,
        ledger=cast(Ledger, fake),
        limiter=cast(Limiter, fake),
        carriers=cast(Carriers, fake),
        outcomes=outcomes,
        settings=SETTINGS,
        clock=clock,
        ticks=ticks,
    )
    return outcomes, dispatch


@pytest.mark.parametrize("clock", ["monotonic", "wall"])
async def test_a_lease_ends_by_whichever_clock_says_so_first(clock: str) -> None:
    """One clock stands still while a machine sleeps; the other can be set back."""
    passed = {"wall": 0.0, "monotonic": 0.0}
    _, dispatch = dispatching(
        OneMessage(InDoubt()),
        clock=lambda: NOW + timedelta(seconds=passed["wall"]),
        ticks=lambda: passed["monotonic"],
    )
    still_ours = dispatch._until(NOW)
    allowed = SETTINGS.lease - SETTINGS.request_timeout
    passed[clock] = allowed - 0.1
    assert still_ours()
    passed[clock] = allowed + 0.1
    assert not still_ours()


def test_a_request_that_may_outlast_its_lease_is_no_setting() -> None:
    with pytest.raises(ValueError, match="lease"):
        SETTINGS.model_validate({**SETTINGS.model_dump(), "lease": 15.0})


class Held(OneMessage):
    """A ledger whose day is full, or that leaves messages out."""

    def __init__(self, picked: Picked) -> None:
        super().__init__(InDoubt())
        self._picked = picked
        self.given_back = 0

    async def claim(self, lane: Lane, **_: object) -> Picked:
        return self._picked

    async def give_back(self, lane: Lane, *, rate: float, segments: int) -> None:
        self.given_back += segments


@pytest.mark.parametrize(
    ("picked", "rest"), [(Picked([], held=True), HELD_SECONDS), (Picked([], left_out=5), 0.0)]
)
async def test_what_a_limit_keeps_gives_its_tokens_back(picked: Picked, rest: float) -> None:
    fake = Held(picked)
    _, dispatch = dispatching(fake)
    assert await dispatch._round() == rest
    assert fake.given_back == SETTINGS.connections - URGENT_AT_ONCE


class Asked(OneMessage):
    """A ledger that has nothing to send, and notes what it and the limiter are asked for."""

    def __init__(self) -> None:
        super().__init__(InDoubt())
        self.claims: list[tuple[int, int]] = []
        self.least: list[int] = []
        self.next_cost: int | None = None

    async def claim(self, lane: Lane, **asked: object) -> Picked:
        self.claims.append((cast(int, asked["limit"]), cast(int, asked["urgent"])))
        return Picked([], next_cost=self.next_cost)

    async def take(self, lane: Lane, *, rate: float, want: int, least: int) -> Grant:
        self.least.append(least)
        return Grant(want, 0)


async def test_x8_connections_are_kept_free_for_what_is_urgent() -> None:
    fake = Asked()
    outcomes, dispatch = dispatching(fake)
    await dispatch._round()
    outcomes.opened(LANE, SETTINGS.connections - URGENT_AT_ONCE)
    # Nothing urgent was there a moment ago, and nobody told of any: not worth a transaction.
    await dispatch._round()
    dispatch.wake_urgent()
    await dispatch._round()
    outcomes.opened(LANE, URGENT_AT_ONCE)
    dispatch.wake_urgent()
    await dispatch._round()
    bulk = SETTINGS.connections - URGENT_AT_ONCE
    assert fake.claims == [(bulk, URGENT_AT_ONCE), (0, URGENT_AT_ONCE)]


async def test_x8_what_is_urgent_needs_not_wait_until_a_dearer_text_fits() -> None:
    fake = Asked()
    fake.next_cost = 24
    _, dispatch = dispatching(fake)
    await dispatch._round()
    await dispatch._round()
    dispatch.wake_urgent()
    await dispatch._round()
    assert fake.least == [1, 24, 1]


class SlowToClaim(OneMessage):
    """A database that takes its time, and what is stopped when it is done."""

    def __init__(self, seconds: float, stops: dict[str, int]) -> None:
        super().__init__(InDoubt())
        self.passed = 0.0
        self._seconds = seconds
        self._stops = stops

    async def claim(self, lane: Lane, **more: object) -> Picked:
        self.passed += self._seconds
        return await super().claim(lane, **more)

    async def stops(self, lane: Lane) -> dict[str, int]:
        return self._stops


@pytest.mark.parametrize(
    ("seconds", "stops", "asked"),
    [(0.1, {"*": 7}, [True]), (20.0, {}, [True]), (20.0, {"*": 7}, [])],
)
async def test_x6_what_was_stopped_while_the_claim_took_its_time_is_not_posted(
    seconds: float, stops: dict[str, int], asked: list[bool]
) -> None:
    fake = SlowToClaim(seconds, stops)
    outcomes, dispatch = dispatching(fake, ticks=lambda: fake.passed)
    await dispatch._round()
    dispatch.stopping = True
    await dispatch.run()
    outcomes.stop()
    await outcomes.run()
    assert fake.asked == asked
    [result] = fake.settled
    # What was not posted is claimed again, by what is known then; its connection is free again.
    assert (result.again_at is not None) is (not asked)
    assert outcomes.open_in(LANE) == 0


class SlowToGrant(SlowToClaim):
    """A Redis that takes its time over the grant."""

    async def take(self, lane: Lane, *, rate: float, want: int, least: int) -> Grant:
        self.passed += 20.0
        return await super().take(lane, rate=rate, want=want, least=least)


async def test_x6_what_was_stopped_while_the_grant_took_its_time_is_not_posted() -> None:
    fake = SlowToGrant(0.0, {"*": 7})
    outcomes, dispatch = dispatching(fake, ticks=lambda: fake.passed)
    await dispatch._round()
    outcomes.stop()
    await outcomes.run()
    assert fake.asked == []
    assert [each.again_at for each in fake.settled] == [NOW]


class Unanswering(SlowToClaim):
    """A Redis that is away when it is asked what was stopped."""

    async def stops(self, lane: Lane) -> dict[str, int]:
        raise Outage("the stops can't be read")


async def test_x6_what_nobody_can_tell_of_is_not_posted_and_waits_again() -> None:
    fake = Unanswering(20.0, {})
    outcomes, dispatch = dispatching(fake, ticks=lambda: fake.passed)
    with pytest.raises(Outage):
        await dispatch._round()
    outcomes.stop()
    await outcomes.run()
    assert fake.asked == []
    assert [each.again_at for each in fake.settled] == [NOW]
    # Its connections are free again.
    assert outcomes.open_in(LANE) == 0


async def test_x6_a_process_that_stood_still_before_the_request_posts_nothing() -> None:
    fake = SlowToClaim(0.0, {})
    outcomes, dispatch = dispatching(fake, ticks=lambda: fake.passed)
    await dispatch._round()
    fake.passed += 2.0
    dispatch.stopping = True
    await dispatch.run()
    assert fake.asked == [False]
    outcomes.stop()
    await outcomes.run()
