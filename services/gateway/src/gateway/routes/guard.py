"""Stands before the whole API: nothing that fails in it reaches the server or leaves a trace."""

from typing import Any

from chassis.http import Asgi
from chassis.logs import describe, get_logger
from gateway.routes.problems import MEDIA_TYPE, problem

_TOO_LARGE = 413
_ALWAYS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class Guard:
    """Adds the headers that every answer has, and notes what the app could not answer itself.

    The framework refuses a body that is announced as too large in words of its own, without
    asking a handler of ours; that too becomes a problem document.
    """

    def __init__(self, app: Asgi) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            # No socket is offered: a close before the accept is a refusal.
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        answered = too_large = False

        async def send_on(message: Any) -> None:
            nonlocal answered, too_large
            if _is_in_other_words(message):
                too_large = True
            if too_large:
                return
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
        if too_large:
            too_large = False
            refused = problem(_TOO_LARGE, "content-too-large", "The body is too large.")
            await refused(scope, receive, send_on)


def _is_in_other_words(message: Any) -> bool:
    if message["type"] != "http.response.start" or message["status"] != _TOO_LARGE:
        return False
    return dict(message.get("headers", ())).get(b"content-type") != MEDIA_TYPE.encode()
