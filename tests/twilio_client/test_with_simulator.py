"""The client against the simulated Twilio: sending, listing, fetching, failing."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from simulators.shared import running
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.outcomes import DELIVERED
from twilio_client import (
    InDoubt,
    Kind,
    NotSent,
    Refused,
    SendRequest,
    TwilioClient,
    Unanswered,
)

ACCOUNT, TOKEN = "AC" + "1" * 32, "token"
FROM, TO = "+12025550100", "+12025550123"


@pytest.fixture
def simulator(tmp_path: Path) -> TwilioSimulator:
    return TwilioSimulator(state=tmp_path, accounts={ACCOUNT: TOKEN})


@pytest.fixture
async def url(simulator: TwilioSimulator) -> AsyncIterator[str]:
    async with running(simulator) as url:
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[TwilioClient]:
    async with TwilioClient(
        account_sid=ACCOUNT,
        auth_token=SecretStr(TOKEN),
        base_url=url,
        total_timeout_seconds=1,
    ) as client:
        yield client


def text(body: str = "Hello & good day, 100% €", to: str = TO) -> SendRequest:
    return SendRequest(to=to, from_=FROM, body=body)


async def test_what_was_sent_is_fetched(client: TwilioClient) -> None:
    sent = await client.send(text())
    fetched = await client.fetch(sent.sid)
    assert fetched is not None
    assert (fetched.to, fetched.from_, fetched.body) == (TO, FROM, "Hello & good day, 100% €")
    assert (sent.status, sent.segments, sent.price) == ("queued", 1, None)
    assert abs(fetched.created_at - datetime.now(UTC)) < timedelta(seconds=10)


async def test_an_unknown_sid_is_none(client: TwilioClient) -> None:
    assert await client.fetch("SM" + "0" * 32) is None


async def test_all_pages_are_listed_newest_first(client: TwilioClient) -> None:
    sids = [(await client.send(text(body=f"text {n}"))).sid for n in range(1005)]
    await client.send(text(to="+12025550199"))
    listed = await client.list_messages(to=TO, from_=FROM)
    assert [message.sid for message in listed] == sids[::-1]


async def test_since_leaves_out_what_is_older(client: TwilioClient) -> None:
    await client.send(text())
    now = datetime.now(UTC)
    assert len(await client.list_messages(to=TO, since=now - timedelta(minutes=1))) == 1
    assert await client.list_messages(to=TO, since=now + timedelta(minutes=1)) == []


async def test_a_service_sends(client: TwilioClient) -> None:
    service = "MG" + "2" * 32
    sent = await client.send(SendRequest(to=TO, messaging_service_sid=service, body="hi"))
    fetched = await client.fetch(sent.sid)
    assert fetched is not None
    assert (sent.status, fetched.from_, fetched.messaging_service_sid) == (
        "accepted",
        None,
        service,
    )


@pytest.mark.parametrize(
    ("fault", "error", "accepted"),
    [
        ("429", NotSent, 0),
        ("21611", NotSent, 0),
        ("401", Refused, 0),
        ("500_before", InDoubt, 0),
        ("drop_before", InDoubt, 0),
        ("redirect_307", InDoubt, 0),
        ("500_after", InDoubt, 1),
        ("timeout_after", InDoubt, 1),
        ("drop_after", InDoubt, 1),
        ("half_answer", InDoubt, 1),
        ("slow", InDoubt, 1),
    ],
)
async def test_each_fault_is_told_apart(
    simulator: TwilioSimulator,
    client: TwilioClient,
    fault: str,
    error: type[Exception],
    accepted: int,
) -> None:
    simulator.faults.add(fault, times=1, match={"to": TO})
    with pytest.raises(error):
        await client.send(text())
    assert len(await client.list_messages(to=TO)) == accepted
    assert len(list(simulator.store.messages.entries())) == accepted
    await client.send(text())  # The fault was for one request only.


async def test_a_wrong_token_is_the_accounts_fault(url: str) -> None:
    async with TwilioClient(
        account_sid=ACCOUNT,
        auth_token=SecretStr("wrong"),
        base_url=url,
    ) as stranger:
        with pytest.raises(Refused) as caught:
            await stranger.send(text())
        assert caught.value.kind is Kind.ACCOUNT
        with pytest.raises(Refused):
            await stranger.list_messages(to=TO)


async def test_a_list_that_fails_concludes_nothing() -> None:
    async with TwilioClient(
        account_sid=ACCOUNT, auth_token=SecretStr(TOKEN), base_url="http://127.0.0.1:1"
    ) as lonely:
        with pytest.raises(Unanswered):
            await lonely.list_messages(to=TO)


async def test_pages_are_given_as_they_come(
    simulator: TwilioSimulator, client: TwilioClient
) -> None:
    for number in range(1003):
        simulator.store.accept(
            account=ACCOUNT,
            to=f"+1202555{number:04d}",
            sender=FROM,
            body="x",
            status_callback="",
            num_segments=1,
            outcome=DELIVERED,
            arrived_at=0.0,
        )
    async with aclosing(client.list_pages(from_=FROM)) as pages:
        assert len(await anext(pages)) == 1000
        simulator.faults.add("get_500", times=1)
        with pytest.raises(Unanswered):
            await anext(pages)
    async with aclosing(client.list_pages(from_=FROM)) as pages:
        assert [len(page) async for page in pages] == [1000, 3]


@pytest.mark.parametrize(
    "fault",
    ["get_429", "get_500", "get_drop", "get_timeout", "get_half_answer", "get_html", "get_slow"],
)
@pytest.mark.parametrize("question", ["list", "fetch"])
async def test_a_question_without_an_answer_concludes_nothing(
    simulator: TwilioSimulator, client: TwilioClient, question: str, fault: str
) -> None:
    sent = await client.send(text())

    async def ask() -> object:
        return await (client.list_messages(to=TO) if question == "list" else client.fetch(sent.sid))

    simulator.faults.add(fault, times=1, match={"route": question}, params={"retry_after": 7})
    with pytest.raises(Unanswered) as caught:
        await ask()
    assert caught.value.retry_after_seconds == (7.0 if fault == "get_429" else None)
    assert TO not in str(caught.value)
    assert await ask()


@pytest.mark.parametrize("question", ["list", "fetch"])
async def test_a_question_with_refused_credentials_is_the_account_s_fault(
    simulator: TwilioSimulator, client: TwilioClient, question: str
) -> None:
    simulator.faults.add("get_401")
    with pytest.raises(Refused) as caught:
        await (client.list_messages(to=TO) if question == "list" else client.fetch("SM0"))
    assert caught.value.kind is Kind.ACCOUNT


async def test_what_people_texted_is_listed(
    simulator: TwilioSimulator, client: TwilioClient
) -> None:
    taken = simulator.store.take_inbound(account=ACCOUNT, person=TO, number=FROM, body="STOP")
    await client.send(text())
    [listed] = await client.list_messages(to=FROM)
    assert (listed.sid, listed.direction, listed.status) == (taken.sid, "inbound", "received")
    assert (listed.from_, listed.to, listed.body) == (TO, FROM, "STOP")
    assert await client.fetch(taken.sid) == listed
