"""The carrier: nothing is awaited between the last look at the lease and the request."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from tests.harness import eventually
from tests.sender.books import LANE as BOOKS_LANE
from tests.sender.books import ORGANIZATION, opened, set_limits

from chassis.secrets import SecretBox
from contracts.events.message import Accepted, Refused
from sender.adapters.carriers import LISTS_AT_ONCE, PAGE, SettledCarriers, TwilioCarrier
from sender.domain.messages import Claim, Lane
from sender.ports import CarrierAway, LeaseOver
from sender.settings import SenderSettings
from twilio_client.client import TwilioClient
from twilio_client.errors import Unanswered
from twilio_client.messages import ListedMessage, Sent

NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
LANE = Lane(uuid4(), "+18885550100")
SID = "SM" + "1" * 32


class SlowClient:
    """A Twilio client whose requests take as long as the test wants."""

    def __init__(self) -> None:
        self.posted: list[str] = []
        self.answer = asyncio.Event()
        self.pages: list[list[ListedMessage]] = []

    async def send(self, request: Any) -> Sent:
        self.posted.append(request.to)
        await self.answer.wait()
        return Sent(sid=SID, status="queued", segments=1)

    async def list_pages(self, **_: object) -> AsyncGenerator[list[ListedMessage]]:
        for page in self.pages:
            yield page
        if not self.pages:
            raise Unanswered("HTTP 429", retry_after_seconds=7)


def claim(to: str) -> Claim:
    return Claim(uuid4(), uuid4(), uuid4(), to, "Hi", 1, NOW)


async def test_a_claim_whose_lease_ended_while_it_waited_for_its_turn_is_not_posted() -> None:
    client = SlowClient()
    carrier = TwilioCarrier(cast(TwilioClient, client), callback_url="http://x", turns=1)
    ours = {"first": True, "second": True}

    async def send(name: str) -> Accepted | Refused:
        return await carrier.send(LANE, claim(name), still_ours=lambda: ours[name])

    first = asyncio.create_task(send("first"))
    second = asyncio.create_task(send("second"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    ours["second"] = False
    client.answer.set()
    assert await first == Accepted(sid=SID)
    with pytest.raises(LeaseOver):
        await second
    assert client.posted == ["first"]


async def test_a_carrier_s_client_has_a_turn_for_whoever_got_one(tmp_path: Path) -> None:
    """Else a request would wait once more, behind its last look at the lease."""
    async with opened(f"sqlite:///{tmp_path}") as store:
        box = SecretBox(SecretStr(Fernet.generate_key().decode()))
        await set_limits(store, sequence=2, auth_token=box.seal(SecretStr("token")))
        own = SenderSettings(
            redis_url=SecretStr("redis://127.0.0.1:1"), public_url="http://x", connections=2
        )
        carriers = SettledCarriers(store, box, own)
        carrier = await carriers.of(ORGANIZATION)
        lists = LISTS_AT_ONCE
        assert carrier._client._turns._value >= carrier._turns._value + lists
        await carriers.close()


async def test_settings_that_another_process_was_told_count_here_too(tmp_path: Path) -> None:
    async with opened(f"sqlite:///{tmp_path}") as store:
        box = SecretBox(SecretStr(Fernet.generate_key().decode()))
        own = SenderSettings(redis_url=SecretStr("redis://127.0.0.1:1"), public_url="http://x")
        carriers = SettledCarriers(store, box, own)
        assert await carriers.rate(BOOKS_LANE) == 100
        await set_limits(store, sequence=2, rate=7)

        async def told() -> bool:
            return await carriers.rate(BOOKS_LANE) == 7

        await eventually(told)
        await carriers.close()


def listed(n: int) -> ListedMessage:
    return ListedMessage(
        sid=f"SM{n:032x}",
        status="sent",
        to="+12025550143",
        from_="+18885550100",
        body="Hi",
        direction="outbound-api",
        segments=1,
        created_at=NOW,
    )


async def test_each_page_of_a_list_waits_for_a_turn() -> None:
    client = SlowClient()
    client.pages = [[listed(n) for n in range(PAGE)], [listed(PAGE)]]
    carrier = TwilioCarrier(cast(TwilioClient, client), callback_url="http://x", turns=1)
    turns: list[int] = []

    async def turn() -> None:
        turns.append(1)

    assert len(await carrier.listed(LANE, to=None, since=NOW, turn=turn)) == PAGE + 1
    assert len(turns) == 2


async def test_a_list_that_is_throttled_says_for_how_long() -> None:
    carrier = TwilioCarrier(cast(TwilioClient, SlowClient()), callback_url="http://x", turns=1)

    async def turn() -> None:
        pass

    with pytest.raises(CarrierAway) as caught:
        await carrier.listed(LANE, to=None, since=NOW, turn=turn)
    assert caught.value.seconds == 7
