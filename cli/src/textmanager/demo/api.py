"""The gateway as a client sees it."""

import json
from typing import Any

from textmanager.errors import UserError
from textmanager.probe import fetch


class Gateway:
    """Requests to the REST API; an answer that isn't a success ends the demo with its words."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._token = ""

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each request."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    async def sign_in(self, *, username: str, password: str, cloud_id: str) -> dict[str, Any]:
        """Sign in as an iMIS staff member (TM-1)."""
        session = await self.post(
            "/v1/sessions", {"username": username, "password": password, "cloud_id": cloud_id}
        )
        self._token = session["token"]
        return session

    async def get(self, path: str) -> dict[str, Any]:
        """Ask for something."""
        return await self._request("GET", path, None)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Let something happen."""
        return await self._request("POST", path, body)

    async def _request(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        answer = await fetch(
            method,
            self.url + path,
            body=None if body is None else json.dumps(body),
            headers=self.headers,
            timeout_seconds=90.0,
        )
        if answer.status >= 400:
            raise UserError(f"{method} {path} was answered with {answer.status}: {answer.body}")
        found: dict[str, Any] = json.loads(answer.body)
        return found
