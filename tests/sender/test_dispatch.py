"""Dispatch hands on an outcome for each claim, whatever happens to its request."""

from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import SecretStr

from sender.dispatch import LaneDispatch
from sender.domain.messages import Claim, Lane
from sender.outcomes import Outcomes
from sender.ports import CarrierAway, Carriers, Grant, InDoubt, Ledger, Picked, Result, Throttled
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

    async def claim(self, lane: Lane, **_: object) -> Picked:
        claims, self._waiting = self._waiting, []
        return Picked(claims)

    async def settle(self, results: list[Result], *, at: datetime) -> None:
        self.settled += results

    async def rate(self, lane: Lane) -> float:
        return 100.0

    async def take(self, lane: Lane, *, rate: float, want: int, least: int) -> Grant:
        return Grant(want, 0)

    async def give_back(self, lane: Lane, *, rate: float, segments: int) -> None:
        pass

    async def of(self, organization_id: object) -> "OneMessage":
        return self

    async def send(self, lane: Lane, claim: Claim) -> Any:
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
    ],
)
async def test_each_claim_has_an_outcome(error: Exception, *, waits_again: bool) -> None:
    fake = OneMessage(error)
    outcomes = Outcomes(cast(Ledger, fake), lambda: NOW)
    dispatch = LaneDispatch(
        LANE,
        ledger=cast(Ledger, fake),
        limiter=fake,
        carriers=cast(Carriers, fake),
        outcomes=outcomes,
        settings=SETTINGS,
        clock=lambda: NOW,
    )
    await dispatch._round()
    dispatch.stopping = True
    await dispatch.run()
    outcomes.stop()
    await outcomes.run()
    [result] = fake.settled
    assert result.outcome is None
    assert (result.again_at is not None) is waits_again
    assert outcomes.open_in(LANE) == 0
