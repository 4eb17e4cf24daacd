"""Stands before the whole API: nothing that fails in it reaches the server or leaves a trace."""

from typing import Any

from chassis.http import Asgi
from chassis.logs import describe, get_logger

_ALWAYS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class Guard:
    """Adds the headers that every answer has, and notes what the app could not answer itself."""

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # No socket is offered: a close before the accept is a refusal.
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        answered = False

        async def send_on(message: Any) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_ALWAYS]}
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                answered = True

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            get_logger().error("A request failed.", method=scope["method"], **describe(error))
            if not answered:
                raise
