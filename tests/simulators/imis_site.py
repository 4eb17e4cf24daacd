"""A caller of a simulated iMIS, signed in as staff."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pyreqwest.client import Client, ClientBuilder


def activity(
    party: str = "100001", kind: str = "TEXTMSG", note: str = "Hello"
) -> dict[str, object]:
    values = {"PartyId": party, "ACTIVITY_TYPE": kind, "NOTE": note, "DESCRIPTION": "+1202"}
    listed = [{"Name": name, "Value": value} for name, value in values.items()]
    return {"EntityTypeName": "Activity", "Properties": {"$values": listed}}


class Caller:
    """Asks the simulator over HTTP, signed in as staff."""

    def __init__(self, client: Client, url: str) -> None:
        self.client = client
        self.url = url
        self.token = ""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        request = self.client.request(method, self.url + path).bearer_auth(self.token)
        if body is not None:
            request = request.body_json(body)
        response = await request.build().send()
        return response.status, await response.json()

    async def log_in(self) -> None:
        form = {"grant_type": "password", "username": "staff", "password": "staff-pass"}
        response = await self.client.post(self.url + "/token").form(form).build().send()
        assert response.status == 200
        self.token = (await response.json())["access_token"]


@asynccontextmanager
async def signed_in(url: str) -> AsyncIterator[Caller]:
    async with ClientBuilder().build() as client:
        caller = Caller(client, url)
        await caller.log_in()
        yield caller
