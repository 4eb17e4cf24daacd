"""A customer's side of the simulated Twilio: posts texts, receives webhooks."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson
from pyreqwest.client import Client, ClientBuilder

from simulators.shared import Receive, Scope, Send, answer, read_body, run_lifespan, running

ACCOUNT, TOKEN = "AC" + "1" * 32, "token"
FROM, TO = "+12025550100", "+12025550123"


@dataclass
class Received:
    """One webhook as it came in."""

    url: str
    form: dict[str, str]
    signature: str
    idempotency: str


@dataclass
class Customer:
    """A server for webhooks; `answers` are given first, then 204s."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def statuses(self) -> list[str]:
        return [webhook.form["MessageStatus"] for webhook in self.received]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(receive, send, _nothing)
            return
        body = await read_body(receive)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        self.received.append(
            Received(
                url=self.url + scope["path"] + (f"?{query}" if query else ""),
                form=dict(parse_qsl(body.decode(), keep_blank_values=True)),
                signature=headers["x-twilio-signature"],
                idempotency=headers["i-twilio-idempotency-token"],
            )
        )
        status, content = self.answers.pop(0) if self.answers else (204, b"")
        await answer(send, status, content, [(b"content-type", b"text/xml")])


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def customer() -> AsyncIterator[Customer]:
    """Run a customer's server while the block runs."""
    server = Customer()
    async with running(server) as server.url:
        yield server


@dataclass
class Answer:
    """What the simulator answered."""

    status: int
    body: Any


class Api:
    """Posts to the simulator as a client that knows nothing of the product's own."""

    def __init__(self, client: Client, url: str) -> None:
        self._client = client
        self.url = url

    async def send(
        self, to: str = TO, body: str = "hello", sender: str = FROM, callback: str = ""
    ) -> Answer:
        form = {"To": to, "From": sender, "Body": body, "StatusCallback": callback}
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        asking = self._client.post(self.url + path).header("authorization", _basic())
        response = await asking.form([pair for pair in form.items() if pair[1]]).build().send()
        return Answer(response.status, orjson.loads(bytes(await response.bytes()) or b"null"))

    async def messages(self, **query: str) -> Any:
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        return (await self.get(path, **{k.rstrip("_"): v for k, v in query.items()})).body

    async def get(self, path: str, **query: str) -> Answer:
        asking = self._client.get(self.url + path).header("authorization", _basic())
        response = await asking.query(query).build().send()
        return Answer(response.status, orjson.loads(bytes(await response.bytes())))

    async def control(self, path: str, **content: Any) -> Any:
        asking = self._client.post(f"{self.url}/_sim/{path}").body_json(content)
        response = await asking.build().send()
        return orjson.loads(bytes(await response.bytes()))

    async def clear(self, path: str) -> Any:
        response = await self._client.delete(f"{self.url}/_sim/{path}").build().send()
        return orjson.loads(bytes(await response.bytes()))


@asynccontextmanager
async def api(url: str) -> AsyncIterator[Api]:
    """Speak to the simulator while the block runs."""
    async with ClientBuilder().follow_redirects(False).build() as client:
        yield Api(client, url)


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


async def until(claim: Callable[[], bool]) -> None:
    """Wait until a claim holds, for 20 s at most."""
    async with asyncio.timeout(20):
        while not claim():
            await asyncio.sleep(0.005)
