"""Each organisation's way to Twilio, as its newest settings say."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from chassis.logs import describe, get_logger
from chassis.secrets import SecretBox, WrongKey
from chassis.store import Store, is_database_outage
from contracts.events.message import Accepted, Refused
from contracts.events.organization import OrganizationSettingsChanged
from sender.adapters.tables import SETTINGS
from sender.domain.doubts import Listed
from sender.domain.limits import rate_of
from sender.domain.messages import Claim, Lane
from sender.ports import CarrierAway, InDoubt, LeaseOver, Throttled
from sender.settings import SenderSettings
from twilio_client import errors
from twilio_client.client import TwilioClient
from twilio_client.codes import Kind
from twilio_client.messages import ListedMessage, SendRequest

BUSY_SECONDS = 1.0
MOST_LANES = 20
LISTS_AT_ONCE = 8
PAGE = 1000
"""How many texts a full page of Twilio's list holds."""
FRESH_SECONDS = 1.0
"""How old settings may be when they are used: another process may have been told of new ones."""


class TwilioCarrier:
    """Sends for one account; the client has a connection for each turn, and for each list."""

    def __init__(self, client: TwilioClient, *, callback_url: str, turns: int) -> None:
        self._client = client
        self._callback_url = callback_url
        self._turns = asyncio.Semaphore(turns)
        self._lists = asyncio.Semaphore(LISTS_AT_ONCE)

    async def send(
        self, lane: Lane, claim: Claim, *, still_ours: Callable[[], bool]
    ) -> Accepted | Refused:
        """Post one message, once; raises `Throttled`, `InDoubt`, or `LeaseOver`.

        Nothing is awaited between asking whether the claim is still ours and the request: a
        process that was paused past its lease must not post what another one may be reconciling.
        So the turn is got first, and the client has one free for whoever has got it.
        """
        request = SendRequest.model_construct(
            to=claim.to_number,
            from_=lane.from_number,
            body=claim.text,
            # The query is signed, so a callback proves which message it is about even when our
            # answer was lost. The fragment tells Twilio how often to try to reach us.
            status_callback=f"{self._callback_url}?m={claim.message_id}#rc=5&rp=all",
        )
        try:
            async with self._turns:
                if not still_ours():
                    raise LeaseOver
                sent = await self._client.send(request)
        except errors.Refused as refused:
            return Refused(
                code=refused.code or 0, invalid_number=refused.kind is Kind.RECIPIENT_INVALID
            )
        except errors.NotSent as error:
            raise Throttled(error.retry_after_seconds or BUSY_SECONDS) from error
        except errors.TwilioError as error:
            raise InDoubt from error
        return Accepted(sid=sent.sid)

    async def listed(
        self, lane: Lane, *, to: str | None, since: datetime, turn: Callable[[], Awaitable[None]]
    ) -> list[Listed]:
        """Return what Twilio lists of a lane, or of it to one number; raises `CarrierAway`.

        Waits for a turn before each page.
        """
        found: list[ListedMessage] = []
        try:
            async with self._lists:
                await turn()
                pages = self._client.list_pages(to=to, from_=lane.from_number, since=since)
                async for page in pages:
                    found += page
                    if len(page) == PAGE:
                        await turn()
        except errors.Unanswered as error:
            raise CarrierAway("no list", seconds=error.retry_after_seconds) from error
        except errors.TwilioError as error:
            raise CarrierAway("no list") from error
        return [
            Listed(
                sid=each.sid,
                to_number=each.to,
                from_number=each.from_ or "",
                body=each.body,
                created_at=each.created_at,
            )
            for each in found
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


class SettledCarriers:
    """Makes a carrier of each organisation's settings, and a new one when they change."""

    def __init__(self, store: Store, box: SecretBox, settings: SenderSettings) -> None:
        self._store = store
        self._box = box
        self._settings = settings
        self._known: dict[UUID, OrganizationSettingsChanged] = {}
        self._carriers: dict[UUID, tuple[str, TwilioCarrier]] = {}
        self._old: list[TwilioCarrier] = []
        self._stale = True
        self._read_at = 0.0
        self._lock = asyncio.Lock()

    def refresh(self) -> None:
        """Read the settings again before they are used next."""
        self._stale = True

    async def of(self, organization_id: UUID) -> TwilioCarrier:
        """Return the organisation's carrier; raises `CarrierAway` while it has none."""
        await self._renew_all()
        found = self._carriers.get(organization_id)
        if found is None:
            raise CarrierAway("no settings of the organisation yet")
        return found[1]

    async def rate(self, lane: Lane) -> float:
        """Return the lane's segments a second; 0 while the number may not be used (TM-19)."""
        await self._renew_all()
        known = self._known.get(lane.organization_id)
        for number in known.settings.numbers if known else ():
            if number.number == lane.from_number:
                return rate_of(number)
        return 0.0

    async def _renew_all(self) -> None:
        """Read what changed, if it may have; raises `CarrierAway` when that can't be told."""
        if not self._stale and time.monotonic() - self._read_at < FRESH_SECONDS:
            return
        async with self._lock:
            if not self._stale and time.monotonic() - self._read_at < FRESH_SECONDS:
                return
            self._stale = False
            try:
                for event in await self._changed():
                    self._known[event.organization_id] = event
                    self._renew(event)
            except BaseException as error:
                self._stale = True
                if is_database_outage(error):
                    raise CarrierAway("the settings can't be read") from error
                raise
            self._read_at = time.monotonic()

    async def _changed(self) -> list[OrganizationSettingsChanged]:
        columns = SETTINGS.table.c
        async with self._store.read() as connection:
            newest = (await connection.execute(select(columns.subject, columns.sequence))).all()
            changed = [
                row.subject
                for row in newest
                if (known := self._known.get(row.subject)) is None or known.sequence < row.sequence
            ]
            if not changed:
                return []
            found = await connection.scalars(
                select(columns.event).where(columns.subject.in_(changed))
            )
            return [OrganizationSettingsChanged.model_validate_json(each) for each in found]

    def _renew(self, event: OrganizationSettingsChanged) -> None:
        access = event.settings.twilio
        credentials = f"{access.account_sid}:{access.auth_token_encrypted}"
        known = self._carriers.get(event.organization_id)
        if known is not None and known[0] == credentials:
            return
        try:
            token = self._box.open(access.auth_token_encrypted)
        except WrongKey as error:
            # This organisation waits until its settings are saved anew; the others go on.
            get_logger().error(
                "An organisation's credentials can't be opened.",
                organization_id=str(event.organization_id),
                **describe(error),
            )
            return
        # A lane has no more claims than connections, and must not wait for another lane's.
        turns = self._settings.connections * MOST_LANES
        client = TwilioClient(
            account_sid=access.account_sid,
            auth_token=token,
            base_url=self._settings.twilio_url,
            max_connections=turns + LISTS_AT_ONCE,
            connect_timeout_seconds=self._settings.connect_timeout,
            total_timeout_seconds=self._settings.request_timeout,
        )
        url = f"{self._settings.public_url.rstrip('/')}/twilio/status"
        if known is not None:
            # What is under way on it may still be answered; it is closed with the process.
            self._old.append(known[1])
        self._carriers[event.organization_id] = (
            credentials,
            TwilioCarrier(client, callback_url=url, turns=turns),
        )

    async def close(self) -> None:
        """Close every connection."""
        for carrier in [*self._old, *(each for _, each in self._carriers.values())]:
            await carrier.close()
