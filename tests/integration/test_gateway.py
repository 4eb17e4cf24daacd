"""The gateway's API as staff meet it: over HTTP, on the real Kafka, with a simulated iMIS."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from pydantic import SecretStr
from pyreqwest.client import Client, ClientBuilder
from redis.asyncio import Redis
from tests.harness import Log, eventually, running

from chassis.secrets import SecretBox
from chassis.service import Service
from chassis.settings import ServiceSettings
from contracts.events.audience import AudiencePreviewed, AudiencePreviewRequested, Reason
from contracts.events.campaign import (
    CampaignCompleted,
    CampaignPaused,
    CampaignScheduled,
    CampaignStarted,
)
from contracts.events.message import MessageRequested
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.run import RunCompleted, RunStarted
from gateway.app import make
from gateway.settings import GatewaySettings
from simulators.imis.app import ImisSimulator
from simulators.imis.settings import Settings
from simulators.shared.server import running as serving

OPERATOR = "the-operators"
NUMBER = "+18885550100"


class Api:
    """The gateway over HTTP."""

    def __init__(self, base: str, client: Client) -> None:
        self.base = base
        self._client = client
        self.token = ""

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, Any]:
        request = self._client.request(method, self.base + path)
        for name, value in headers.items():
            request = request.header(name.replace("_", "-"), value)
        if token or self.token:
            request = request.bearer_auth(token or self.token)
        if body is not None:
            request = request.body_json(body)
        response = await request.build().send()
        content = bytes(await response.bytes())
        return response.status, json.loads(content) if content else None

    async def organization(self, imis_url: str, cloud_id: str = "DEMO") -> tuple[int, Any]:
        fields = {
            "name": "Demo Association",
            "numbers": [{"number": NUMBER, "segments_per_second": 10}],
            "imis": {"url": imis_url, "username": "textmanager", "password": "service-pass"},
            "twilio": {"account_sid": "AC1", "auth_token": "twilio-secret"},
        }
        return await self.call("PUT", f"/v1/organizations/{cloud_id}", fields, token=OPERATOR)

    async def sign_in(self, password: str = "staff-pass") -> tuple[int, Any]:
        login = {"username": "staff", "password": password, "cloud_id": "DEMO"}
        status, answer = await self.call("POST", "/v1/sessions", login)
        if status == 201:
            self.token = answer["token"]
        return status, answer


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def gateway(settings: ServiceSettings, **more: Any) -> AsyncIterator[tuple[Api, Service]]:
    settings = settings.model_copy(update={"http_port": free_port()})
    own = GatewaySettings(
        operator_token=SecretStr(OPERATOR),
        imis_timeout_seconds=5,
        schedule_preview_seconds=0,
        **more,
    )
    async with (
        running(make(settings, own)) as service,
        ClientBuilder().build() as client,
    ):
        yield Api(f"http://127.0.0.1:{settings.http_port}", client), service


@pytest.fixture
async def imis(tmp_path: Path) -> AsyncIterator[tuple[str, ImisSimulator]]:
    site = ImisSimulator(Settings(recipients=20, prefix="/site"), state=tmp_path / "imis")
    async with serving(site) as base:
        yield f"{base}/site", site


async def found_query(api: Api, path: str = "$") -> str:
    """Find the members' query by browsing, as the IQA picker does."""
    status, folder = await api.call("GET", f"/v1/iqas?path={quote(path)}")
    assert status == 200, folder
    for entry in folder["entries"]:
        if entry["kind"] == "query" and entry["name"].startswith("Members with"):
            return str(entry["path"])
        if entry["kind"] == "folder" and (deeper := await found_query(api, entry["path"])):
            return deeper
    return ""


async def test_a_campaign_is_written_counted_scheduled_and_followed(
    service_settings: ServiceSettings, log: Log, imis: tuple[str, ImisSimulator]
) -> None:
    async with gateway(service_settings) as (api, _service):
        assert (await api.organization(imis[0]))[0] == 201
        [changed] = await log.wait_for(OrganizationSettingsChanged)
        box = SecretBox(service_settings.secret_key)
        sealed = changed.settings.imis.password_encrypted
        assert box.open(sealed).get_secret_value() == "service-pass"

        assert (await api.sign_in("wrong"))[0] == 401
        assert (await api.sign_in())[0] == 201
        iqa = await found_query(api)
        _, columns = await api.call("GET", f"/v1/iqas/columns?path={quote(iqa)}")
        assert columns["problems"] == []
        assert "Mobile Phone" in [each["alias"] for each in columns["columns"]]

        fields = {
            "name": "Renewal",
            "template": "Hello ${FullName},",
            "audience": {
                "iqa_path": iqa,
                "phone_column": "Mobile Phone",
                "id_column": "iMIS Id",
            },
        }
        status, campaign = await api.call("POST", "/v1/campaigns", fields, idempotency_key="k1")
        assert status == 201, campaign
        assert (await api.call("POST", "/v1/campaigns", fields, idempotency_key="k1"))[1] == (
            campaign
        )
        path = f"/v1/campaigns/{campaign['campaign_id']}"

        counting = asyncio.ensure_future(api.call("POST", f"{path}/summary?wait_seconds=30"))
        [asked] = await log.wait_for(AudiencePreviewRequested)
        preview = AudiencePreviewed(
            organization_id=asked.organization_id,
            occurred_at=datetime.now(UTC),
            sequence=1,
            preview_id=asked.preview_id,
            campaign_id=asked.campaign_id,
            contacts_returned=20,
            recipients=18,
            excluded={Reason.NO_NUMBER: 2},
            segments=20,
        )
        await log.publish(preview)
        status, summary = await counting
        assert (status, summary["will_be_sent_to"]) == (200, 18)
        assert summary["estimated_seconds"] == 2.0

        status, scheduled = await api.call("POST", f"{path}/schedule", {"at": None})
        assert (status, scheduled["status"]) == (200, "scheduled")
        [event] = await log.wait_for(CampaignScheduled)
        assert str(event.campaign_id) == campaign["campaign_id"]
        status, run = await api.call("GET", f"/v1/runs/{scheduled['run_id']}")
        assert (status, run["state"]) == (200, "preparing")

        about: dict[str, Any] = {
            "organization_id": event.organization_id,
            "occurred_at": datetime.now(UTC),
            "run_id": UUID(scheduled["run_id"]),
            "campaign_id": event.campaign_id,
        }
        started = await log.publish(RunStarted(**about, sequence=1))
        await log.wait_for(CampaignStarted)
        assert log.of(CampaignStarted)[0].causation_id == started[0].id
        assert (await api.call("GET", path))[1]["status"] == "sending"
        assert (await api.call("DELETE", path))[0] == 409
        ended = RunCompleted(**about, sequence=2, rows=20, messages=18, rejected=2, excluded=0)
        await log.publish(ended)
        await log.wait_for(CampaignCompleted)
        assert (await api.call("GET", path))[1]["status"] == "completed"
        assert (await api.call("GET", "/v1/dashboard"))[1]["campaigns"]["completed"] == 1
    assert log.dead == []


async def test_a_session_outlives_the_process_and_ends_when_revoked(
    service_settings: ServiceSettings, log: Log, imis: tuple[str, ImisSimulator]
) -> None:
    async with gateway(service_settings) as (api, _service):
        await api.organization(imis[0])
        await api.sign_in()
        token = api.token
    async with gateway(service_settings) as (api, _service):
        api.token = token
        assert (await api.call("GET", "/v1/organization"))[0] == 200
        assert (await api.call("GET", "/v1/iqas"))[0] == 200
        assert (await api.call("DELETE", "/v1/sessions/current"))[0] == 204
        assert (await api.call("GET", "/v1/organization"))[0] == 401


async def test_x6_a_stop_stands_in_redis_before_it_is_answered(
    service_settings: ServiceSettings,
    redis_url: str,
    log: Log,
    imis: tuple[str, ImisSimulator],
) -> None:
    redis = Redis.from_url(redis_url)
    async with gateway(service_settings, redis_url=SecretStr(redis_url)) as (api, _service):
        await api.organization(imis[0])
        await api.sign_in()
        audience = {
            "iqa_path": await found_query(api),
            "phone_column": "Mobile Phone",
            "id_column": "iMIS Id",
        }
        fields = {"name": "Renewal", "template": "Hello", "audience": audience}
        _, campaign = await api.call("POST", "/v1/campaigns", fields)
        path = f"/v1/campaigns/{campaign['campaign_id']}"
        at = {"at": "2999-01-01T00:00:00Z"}
        assert (await api.call("POST", f"{path}/schedule", at))[0] == 200
        assert (await api.call("POST", f"{path}/pause", {"reason": "Wrong date."}))[0] == 200
        [paused] = await log.wait_for(CampaignPaused)
        key = f"tm:stopped:{paused.organization_id}"
        this = campaign["campaign_id"].encode()
        assert await redis.hgetall(key) == {this: str(paused.sequence).encode()}
        assert (await api.call("POST", "/v1/stop"))[1]["stopped"]
        stopped = await log.wait_for(OrganizationSettingsChanged, count=2)
        assert await redis.hget(key, "*") == str(stopped[-1].sequence).encode()
        text = {"to": "+14155552671", "text": "Room 4."}
        status, answer = await api.call("POST", "/v1/messages", text, idempotency_key="room-4")
        assert status == 202, answer
        [requested] = await log.wait_for(MessageRequested)
        assert str(requested.message_id) == answer["message_id"]
    await redis.aclose()
    assert log.dead == []


async def test_an_imis_that_is_away_or_is_none_is_said_to(
    service_settings: ServiceSettings, imis: tuple[str, ImisSimulator]
) -> None:
    url, site = imis
    async with gateway(service_settings) as (api, _service):
        await api.organization(f"http://127.0.0.1:{free_port()}")
        status, problem = await api.sign_in()
        assert (status, problem["status"]) == (503, 503)
        assert "iMIS" in problem["detail"]
        await api.organization(url.removesuffix("/site") + "/elsewhere")
        assert (await api.sign_in())[0] == 502
        await api.organization(url)
        site.settings.change({"roles": ["Public"]})
        assert (await api.sign_in())[0] == 403
        site.settings.change({"roles": ["SysAdmin"]})
        assert (await api.sign_in())[0] == 201
        site.logins.revoke_all()
        status, problem = await api.call("GET", "/v1/iqas")
        assert status == 401
        assert "Sign in again" in problem["detail"]


async def test_a_stream_of_progress_does_not_hold_up_the_end(
    service_settings: ServiceSettings, imis: tuple[str, ImisSimulator]
) -> None:
    async with gateway(service_settings) as (api, service):
        await api.organization(imis[0])
        await api.sign_in()
        audience = {
            "iqa_path": await found_query(api),
            "phone_column": "Mobile Phone",
            "id_column": "iMIS Id",
        }
        fields = {"name": "Renewal", "template": "Hello", "audience": audience}
        _, campaign = await api.call("POST", "/v1/campaigns", fields)
        _, scheduled = await api.call(
            "POST", f"/v1/campaigns/{campaign['campaign_id']}/schedule", {}
        )
        host, _, port = api.base.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /v1/runs/{scheduled['run_id']}/events HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {api.token}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"text/event-stream" in head
        assert b"event: progress" in await reader.readuntil(b"\n\n")
        began = time.monotonic()
        service.stop_requested.set()
        await reader.read()
        assert time.monotonic() - began < 2
        writer.close()
        await writer.wait_closed()
        await eventually(lambda: not service.ready)
