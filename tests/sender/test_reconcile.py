"""Doubts: few questions for many doubts, two looks well apart, and nothing on a guess."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

import pytest
from pydantic import SecretStr

from sender.domain.doubts import Found, Listed, LookAgain, NotThere
from sender.domain.messages import Doubt, Lane
from sender.ports import CarrierAway, Carriers, Conclusion, Heard, Ledger
from sender.reconcile import Pace, Reconciliation
from sender.settings import SenderSettings

NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
LANE = Lane(uuid4(), "+18885550100")
SETTINGS = SenderSettings(
    redis_url=SecretStr("redis://127.0.0.1:1"), public_url="http://x", looks_per_second=50
)
LATER = NOW + timedelta(seconds=SETTINGS.second_look)


class Twilio:
    """A ledger of doubts, and the Twilio that is asked about them."""

    def __init__(self, doubts: list[Doubt], *, rate: float = 3.0) -> None:
        self._doubts = doubts
        self._rate = rate
        self.listing: list[Listed] = []
        self.busy: float | None = None
        self.read = True
        self.questions: list[str | None] = []
        self.concluded: list[Conclusion] = []

    async def doubt_overdue(self, *, at: datetime, look_at: datetime) -> int:
        return 0

    async def doubts(self, *, at: datetime, until: datetime, limit: int) -> list[Doubt]:
        return self._doubts[:limit]

    async def known_sids(self, sids: object) -> set[str]:
        return set()

    async def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        self.concluded += conclusions

    async def of(self, organization_id: object) -> "Twilio":
        return self

    async def rate(self, lane: Lane) -> float:
        return self._rate

    async def listed(
        self, lane: Lane, *, to: str | None, since: datetime, turn: Callable[[], Awaitable[None]]
    ) -> list[Listed]:
        await turn()
        self.questions.append(to)
        if self.busy is not None:
            raise CarrierAway("busy", seconds=self.busy)
        return [each for each in self.listing if to in {None, each.to_number}]

    async def read_to_end(self) -> bool:
        return self.read

    def reconciliation(self, settings: SenderSettings = SETTINGS) -> Reconciliation:
        return Reconciliation(
            ledger=cast(Ledger, self),
            carriers=cast(Carriers, self),
            callbacks=cast(Heard, self),
            settings=settings,
            clock=lambda: NOW,
        )


def doubt(n: int, *, looks: int = 0) -> Doubt:
    number = f"+1202555{1000 + n}"
    claimed_at = NOW - timedelta(minutes=2)
    return Doubt(
        uuid4(), LANE.organization_id, uuid4(), LANE.from_number, number, "Hi", claimed_at, looks
    )


def entry(of: Doubt) -> Listed:
    return Listed(f"SM{of.to_number}", of.to_number, of.from_number, of.text, of.claimed_at)


async def test_many_doubts_of_one_lane_are_one_question() -> None:
    doubts = [doubt(n, looks=1) for n in range(400)]
    twilio = Twilio(doubts)
    twilio.listing = [entry(each) for each in doubts[:300]]
    assert await twilio.reconciliation().step() is False
    assert twilio.questions == [None]
    verdicts = {each.doubt.message_id: each.verdict for each in twilio.concluded}
    for each in doubts[:300]:
        assert verdicts[each.message_id] == Found(f"SM{each.to_number}")
    for each in doubts[300:]:
        assert verdicts[each.message_id] == NotThere()


async def test_a_busy_lane_s_few_doubts_are_asked_for_by_number() -> None:
    """Its whole list since then would be a hundred pages."""
    doubts = [doubt(n) for n in range(3)]
    twilio = Twilio(doubts, rate=400)
    await twilio.reconciliation().step()
    assert twilio.questions == [each.to_number for each in doubts]


async def test_questions_keep_their_pace() -> None:
    pace = Pace(20)
    began = time.monotonic()
    for _ in range(5):
        await pace.turn()
    assert time.monotonic() - began >= 4 / 20


async def test_what_there_was_no_time_for_is_due_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sender.reconcile.PATIENCE_SECONDS", 0.2)
    doubts = [doubt(n) for n in range(30)]
    twilio = Twilio(doubts, rate=10_000)
    assert await twilio.reconciliation().step() is True
    assert 1 <= len(twilio.questions) < 30
    assert [each.verdict for each in twilio.concluded].count(LookAgain(NOW)) == 30 - len(
        twilio.questions
    )


async def test_one_empty_list_means_another_look_well_apart() -> None:
    twilio = Twilio([doubt(1)])
    await twilio.reconciliation().step()
    assert [each.verdict for each in twilio.concluded] == [LookAgain(LATER, shown_nothing=True)]


@pytest.mark.parametrize("there", [True, False])
async def test_nothing_is_concluded_before_the_callbacks_were_read_to_their_end(
    *, there: bool
) -> None:
    about = replace(doubt(1), looks=1)
    twilio = Twilio([about])
    twilio.listing = [entry(about)] if there else []
    twilio.read = False
    await twilio.reconciliation().step()
    assert [each.verdict for each in twilio.concluded] == [LookAgain(LATER)]


async def test_a_throttled_list_waits_as_long_as_twilio_says() -> None:
    twilio = Twilio([doubt(1)])
    twilio.busy = 60
    reconciliation = twilio.reconciliation()
    assert await reconciliation.step() is False
    assert [each.verdict for each in twilio.concluded] == [LookAgain(LATER)]
    await reconciliation.step()
    assert len(twilio.questions) == 1
