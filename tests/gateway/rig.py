"""The gateway's API on a real SQLite file, with an iMIS and read models in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import select
from tests.databases import database_in
from tests.gateway.client import Client
from tests.gateway.fakes import MEMBERS, FakeImis, FakeStops, HandSetClock
from tests.gateway.models import FakeReadModels

from chassis.outbox import OUTBOX, headers_of
from chassis.secrets import SecretBox
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import Envelope, decode, seal
from contracts.events.base import Event
from gateway.adapters.bell import LocalBell
from gateway.adapters.desk import SqlDesk
from gateway.adapters.tables import METADATA
from gateway.routes.app import make_routes
from gateway.routes.deps import Gateway
from gateway.settings import GatewaySettings
from gateway.subscribers import subscriptions
from timing.quiet import standard

OPERATOR = "operators-only"
NUMBER = "+18885550123"
ORGANIZATION: dict[str, Any] = {
    "name": "Demo Association",
    "default_country": "US",
    "numbers": [{"number": NUMBER, "segments_per_second": 4}],
    "imis": {"url": "http://imis.test", "username": "textmanager", "password": "imis-secret"},
    "twilio": {"account_sid": "AC1", "auth_token": "twilio-secret"},
}
AUDIENCE = {"iqa_path": MEMBERS, "phone_column": "Mobile Phone", "id_column": "ID"}
CAMPAIGN: dict[str, Any] = {
    "name": "Renewal",
    "audience": AUDIENCE,
    "template": "Hello ${Full Name}",
}


class Rig:
    """What a test touches."""

    def __init__(self, folder: Path, **own: Any) -> None:
        self.settings = ServiceSettings(
            kafka_url="localhost:1",
            database_url=database_in(folder),
            secret_key=SecretStr(Fernet.generate_key().decode()),
            instance="test",
        )
        self.clock = HandSetClock()
        self.imis = FakeImis(self.clock)
        self.models = FakeReadModels()
        self.bell = LocalBell()
        self.stops = FakeStops()
        self.stopping = False
        self.store = Store(self.settings, name="gateway", metadata=METADATA)
        self.desk = SqlDesk(self.store)
        self.gateway = Gateway(
            own=GatewaySettings(
                operator_token=SecretStr(OPERATOR),
                summary_poll_seconds=30,
                progress_seconds=0.01,
                refused_login_seconds=0,
                schedule_preview_seconds=0,
                first_look_seconds=0,
            ).model_copy(update=own),
            desk=self.desk,
            imis=self.imis,
            models=self.models,
            seal=SecretBox(self.settings.secret_key),
            bell=self.bell,
            stops=self.stops,
            rules=standard(),
            clock=self.clock,
            pause=self._pause,
        )
        self.anybody = Client(make_routes(self.gateway))
        self.operator = self.anybody.signed_in(OPERATOR)

    async def _pause(self, seconds: float) -> bool:
        await asyncio.sleep(seconds)
        return self.stopping

    async def organization(self, cloud_id: str = "DEMO", **changes: Any) -> None:
        got = await self.operator.put(f"/v1/organizations/{cloud_id}", ORGANIZATION | changes)
        assert got.status in {200, 201}, got.body

    async def staff(self, cloud_id: str = "DEMO") -> Client:
        login = {"username": "staff", "password": "right", "cloud_id": cloud_id}
        got = await self.anybody.post("/v1/sessions", login)
        assert got.status == 201, got.body
        return self.anybody.signed_in(got.json()["token"])

    async def follow(self, *events: Event) -> None:
        """Hand what runs tell to the real subscriptions, each as a batch of its own."""
        told = subscriptions(ring=self.bell.ring, clock=self.clock)
        for event in events:
            handler = next(
                each.handlers[type(event)] for each in told if type(event) in each.handlers
            )
            async with self.store.transaction() as transaction:
                await handler(transaction, [seal(event)])

    async def published(self) -> list[Envelope[Event]]:
        async with self.store.read() as connection:
            query = select(OUTBOX.c.headers, OUTBOX.c.value).order_by(OUTBOX.c.position)
            rows = (await connection.execute(query)).all()
        return [decode(headers_of(row.headers), row.value) for row in rows]


@asynccontextmanager
async def rigged(folder: Path, **own: Any) -> AsyncIterator[Rig]:
    rig = Rig(folder, **own)
    await rig.store.start()
    try:
        yield rig
    finally:
        await rig.store.stop()


def field_names(body: bytes) -> set[str]:
    return {each["field"] for each in orjson.loads(body)["errors"]}
