"""TM-20, X-1: what Twilio tells is kept before it is answered, whether Kafka is there or not."""

import asyncio
import gc
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from pyreqwest.client import Client, ClientBuilder
from tests.harness import Log, eventually, running
from tests.ingress.doubles import encoded, organization, signed
from tests.ingress.kafka_proxy import proxied

from chassis.secrets import SecretBox
from chassis.service import Service
from chassis.settings import ServiceSettings
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.provider import TwilioCallbackReceived, TwilioMessageReceived
from ingress.app import make
from ingress.settings import IngressSettings

PUBLIC = "https://texts.example.org/hooks"


def own(**more: float | str) -> IngressSettings:
    given: dict[str, object] = {
        "twilio_url": "http://127.0.0.1:1",
        "log_seconds": 0.5,
        "log_pause_seconds": 0.2,
        "body_seconds": 0.3,
        **more,
    }
    return IngressSettings(public_url=PUBLIC, **given)  # type: ignore[arg-type]


def acme(settings: ServiceSettings, *, sequence: int = 1) -> OrganizationSettingsChanged:
    event = organization("acme")
    sealed = SecretBox(settings.secret_key).seal(SecretStr("token-acme"))
    twilio = event.settings.twilio.model_copy(update={"auth_token_encrypted": sealed})
    changed = event.settings.model_copy(update={"twilio": twilio})
    return event.model_copy(update={"settings": changed, "sequence": sequence})


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def settings(service_settings: ServiceSettings, port: int) -> ServiceSettings:
    return service_settings.model_copy(update={"http_port": port})


@asynccontextmanager
async def listening(service: Service, port: int) -> AsyncIterator[None]:
    """Run a service that need not become ready."""

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await service.store.create_tables()
    task = asyncio.create_task(service.run())
    try:
        await eventually(answers)
        yield
    finally:
        service.stop_requested.set()
        await task


class Twilio:
    """Posts as Twilio does."""

    def __init__(self, client: Client, port: int) -> None:
        self._client = client
        self._base = f"http://127.0.0.1:{port}"

    async def tell(self, sid: str, *, message: UUID, token: str = "token-acme") -> int:
        path = f"/twilio/status?m={message}"
        form = {"MessageSid": sid, "MessageStatus": "delivered", "ErrorCode": ""}
        return await self.post(path, form | {"AccountSid": "AC-acme"}, token=token)

    async def post(self, path: str, form: dict[str, str], *, token: str = "token-acme") -> int:
        response = await (
            self._client.post(self._base + path)
            .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
            .header("x-twilio-signature", signed(form, token=token, path=path, base=PUBLIC))
            .body_bytes(encoded(form))
            .build()
            .send()
        )
        return response.status

    async def until_known(self) -> None:
        """Wait until the ingress knows the account."""

        async def known() -> bool:
            return await self.tell("SM-first", message=uuid4()) == HTTPStatus.NO_CONTENT

        await eventually(known)


@pytest.fixture
async def twilio(port: int) -> AsyncIterator[Twilio]:
    async with ClientBuilder().timeout(timedelta(seconds=15)).no_proxy().build() as client:
        yield Twilio(client, port)


def told(log: Log) -> Counter[str]:
    return Counter(each.event.message_sid for each in log.of(TwilioCallbackReceived))


async def test_webhooks_reach_the_log_before_they_are_answered(
    settings: ServiceSettings, log: Log, twilio: Twilio
) -> None:
    async with running(make(settings, own(log_seconds=10))):
        await log.publish(acme(settings))
        await twilio.until_known()
        message = uuid4()
        answers = await asyncio.gather(
            *(twilio.tell(f"SM{number}", message=message) for number in range(50))
        )
        text = {"AccountSid": "AC-acme", "MessageSid": "SM-in", "Body": "STOP 🌞", "X": ""}
        assert await twilio.post("/twilio/inbound", text) == HTTPStatus.OK
        assert await twilio.tell("SM-forged", message=message, token="x") == HTTPStatus.FORBIDDEN

        assert set(answers) == {HTTPStatus.NO_CONTENT}
        callbacks = await log.wait_for(
            TwilioCallbackReceived, where=lambda event: event.message_id == message, count=50
        )
        [inbound] = await log.wait_for(TwilioMessageReceived)
    assert {each.organization_id for each in callbacks} == {organization("acme").organization_id}
    assert inbound.form == text
    assert "SM-forged" not in told(log)


# FastStream leaves the producer of a failed connect unclosed; nothing of ours does.
@pytest.mark.filterwarnings("ignore:.*AIOKafkaProducer.__del__")
@pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer:ResourceWarning")
async def test_it_starts_and_takes_webhooks_while_kafka_is_away(
    settings: ServiceSettings, log: Log, twilio: Twilio, port: int
) -> None:
    async with running(make(settings, own())):
        await log.publish(acme(settings))
        await twilio.until_known()
    async with proxied(settings.kafka_url) as proxy:
        await proxy.cut()
        away = settings.model_copy(update={"kafka_url": proxy.url})
        async with listening(make(away, own()), port):
            sids = [f"SM{number}" for number in range(100)]
            answers = await asyncio.gather(*(twilio.tell(sid, message=uuid4()) for sid in sids))
            assert set(answers) == {HTTPStatus.NO_CONTENT}
            assert not told(log).keys() & set(sids)

            await proxy.open()
            await eventually(lambda: told(log).keys() >= set(sids))
            assert await twilio.tell("SM-after", message=uuid4()) == HTTPStatus.NO_CONTENT
            await eventually(lambda: "SM-after" in told(log))
    assert {told(log)[sid] for sid in sids} == {1}
    gc.collect()


@pytest.mark.parametrize("how", ["cut", "frozen"])
async def test_nothing_is_lost_when_kafka_goes_and_comes_back(
    settings: ServiceSettings, log: Log, twilio: Twilio, how: str
) -> None:
    async with proxied(settings.kafka_url) as proxy:
        behind = settings.model_copy(update={"kafka_url": proxy.url})
        async with running(make(behind, own())):
            await log.publish(acme(settings))
            await twilio.until_known()
            await proxy.cut() if how == "cut" else proxy.freeze()
            loop = asyncio.get_running_loop()
            began = loop.time()
            for batch in range(5):
                answers = await asyncio.gather(
                    *(twilio.tell(f"SM{batch}-{n}", message=uuid4()) for n in range(20))
                )
                assert set(answers) == {HTTPStatus.NO_CONTENT}
            # One patience for the first batch and at most some probes: not one for each.
            assert loop.time() - began < 4
            if how == "frozen":
                await proxy.cut()
            await proxy.open()
            await eventually(lambda: len(told(log)) == 101)
    ids = {each.id for each in log.of(TwilioCallbackReceived)}
    assert len(ids) == 101


async def test_a_hostile_body_costs_no_more_than_its_limit(
    settings: ServiceSettings, port: int
) -> None:
    chunk = b"2000\r\n" + b"x" * 0x2000 + b"\r\n"
    head = b"POST /twilio/status HTTP/1.1\r\nhost: h\r\n"
    endless = head + b"transfer-encoding: chunked\r\n\r\n" + chunk * 9
    dawdling = head + b"content-length: 10\r\n\r\nabc"
    async with running(make(settings, own())):
        for request, status in ((endless, b"413"), (dawdling, b"408")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await asyncio.wait_for(reader.read(), 5)
            assert answer.startswith(b"HTTP/1.1 " + status)
            writer.close()
            await writer.wait_closed()
