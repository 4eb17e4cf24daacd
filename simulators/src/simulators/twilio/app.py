"""The composition of the simulated Twilio."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from simulators.shared import Faults, Receive, Scope, Send, answer_json, run_lifespan
from simulators.twilio import control, rest
from simulators.twilio.deliveries import Deliveries
from simulators.twilio.faults import KNOWN
from simulators.twilio.inbound import Inbox
from simulators.twilio.resources import PREFIX
from simulators.twilio.settings import Settings
from simulators.twilio.store import Store
from simulators.twilio.webhooks import Poster


class TwilioSimulator:
    """An ASGI application; its state is a function of the record in `state`."""

    def __init__(
        self,
        *,
        state: Path,
        accounts: Mapping[str, str],
        settings: Settings | None = None,
        seed: int = 0,
        callbacks_in_flight: int = 64,
    ) -> None:
        self._state = state
        self._tokens = {sid: token.encode() for sid, token in accounts.items()}
        self.settings = settings or Settings()
        self.faults = Faults(KNOWN, seed=seed)
        self._chance = random.Random(seed)
        self._in_flight = callbacks_in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's life."""
        if scope["type"] == "lifespan":
            await run_lifespan(receive, send, self._life)
        elif scope["path"].startswith(PREFIX):
            await self._rest(scope, receive, send)
        elif scope["path"].startswith(control.PREFIX):
            await self._control(scope, receive, send)
        else:
            await answer_json(send, 404, {"error": "no such route"})

    @asynccontextmanager
    async def _life(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self.store = Store(self._state)
            stack.callback(self.store.close)
            poster = await stack.enter_async_context(Poster())
            deliveries = await stack.enter_async_context(
                Deliveries(
                    self.store, self.settings, self._tokens, poster, in_flight=self._in_flight
                )
            )
            inbox = Inbox(self.store, poster, self.faults, self.settings)
            self._rest = rest.Rest(
                store=self.store,
                settings=self.settings,
                faults=self.faults,
                deliveries=deliveries,
                accounts=self._tokens,
                chance=self._chance,
            )
            self._control = control.Control(
                store=self.store,
                settings=self.settings,
                faults=self.faults,
                deliveries=deliveries,
                inbox=inbox,
                rest=self._rest,
                accounts=self._tokens,
            )
            yield
