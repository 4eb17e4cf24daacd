"""Each organisation's Twilio account, as its newest settings say, asked at a measured pace."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

from chassis.logs import describe, get_logger
from chassis.secrets import SecretBox, WrongKey
from chassis.store import Store
from contracts.events.organization import OrganizationSettingsChanged
from status.adapters.tables import SETTINGS
from status.domain.looking import Answer
from status.domain.pace import Pace
from status.domain.provider import NOT_FOUND
from status.ports import AccountAway, AccountRefused
from status.settings import StatusSettings
from twilio_client import ListedMessage, Refused, TwilioClient, Unanswered
from twilio_client.codes import Kind


class TwilioAccount:
    """One account, asked no more often than it may be."""

    def __init__(self, client: TwilioClient, pace: Pace) -> None:
        self._client = client
        self._pace = pace

    async def ask(self, sid: str) -> Answer:
        """Return what Twilio says of one text; raises `AccountAway`."""
        await self._wait()
        try:
            found = await self._client.fetch(sid)
        except (Refused, Unanswered) as error:
            raise _away(error) from error
        return Answer(sid, NOT_FOUND) if found is None else _answer(found)

    async def sent_from(self, from_number: str, since: datetime) -> AsyncGenerator[list[Answer]]:
        """Yield what Twilio says of all texts from a number, newest first, page by page."""
        try:
            await self._wait()
            async with aclosing(self._client.list_pages(from_=from_number, since=since)) as pages:
                async for page in pages:
                    yield [_answer(each) for each in page]
                    await self._wait()
        except (Refused, Unanswered) as error:
            raise _away(error) from error

    async def _wait(self) -> None:
        await asyncio.sleep(self._pace.wait_seconds(time.monotonic()))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class SettledAccounts:
    """Makes an account of each organisation's settings, and a new one when they change."""

    def __init__(self, store: Store, box: SecretBox, settings: StatusSettings) -> None:
        self._store = store
        self._box = box
        self._settings = settings
        self._accounts: dict[UUID, tuple[str, TwilioAccount]] = {}

    async def of(self, organization_id: UUID) -> TwilioAccount:
        """Return the organisation's account; raises `AccountRefused` while it has none."""
        event = await SETTINGS.get(self._store, organization_id)
        if event is None:
            raise AccountRefused("no settings of the organisation yet")
        access = event.settings.twilio
        credentials = f"{access.account_sid}:{access.auth_token_encrypted}"
        known = self._accounts.get(organization_id)
        if known is None or known[0] != credentials:
            made = credentials, self._make(event)
            if known is not None:
                await known[1].close()
            known = self._accounts[organization_id] = made
        return known[1]

    def _make(self, event: OrganizationSettingsChanged) -> TwilioAccount:
        access = event.settings.twilio
        try:
            token = self._box.open(access.auth_token_encrypted)
        except WrongKey as error:
            get_logger().error(
                "An organisation's credentials can't be opened.",
                organization_id=str(event.organization_id),
                **describe(error),
            )
            raise AccountRefused("the credentials can't be opened") from error
        client = TwilioClient(
            account_sid=access.account_sid,
            auth_token=token,
            base_url=self._settings.twilio_url,
            max_connections=10,
            connect_timeout_seconds=self._settings.connect_timeout,
            total_timeout_seconds=self._settings.request_timeout,
        )
        return TwilioAccount(client, Pace(self._settings.requests_per_second))

    async def close(self) -> None:
        """Close every connection."""
        for _, account in self._accounts.values():
            await account.close()


def _answer(found: ListedMessage) -> Answer:
    return Answer(
        found.sid, found.status, "" if found.error_code is None else str(found.error_code)
    )


def _away(error: Refused | Unanswered) -> AccountAway:
    if isinstance(error, Unanswered):
        return AccountAway("no answer", seconds=error.retry_after_seconds)
    if error.kind is Kind.ACCOUNT:
        return AccountRefused("the credentials are refused")
    return AccountAway("refused")
