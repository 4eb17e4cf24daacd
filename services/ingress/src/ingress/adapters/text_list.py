"""Twilio's list of the texts to a number, read with its account's token."""

from collections.abc import Collection
from datetime import datetime

from ingress.adapters.accounts import CachedAccounts, SigningAccount
from ingress.domain import Lane, ListedText
from ingress.ports import ListAway, ListRefused
from twilio_client.client import TwilioClient
from twilio_client.errors import Refused, TwilioError, Unanswered

CONNECTIONS = 2
"""How many requests an account has under way; sending must not wait for us at Twilio."""
INBOUND = "inbound"


class TwilioTextList:
    """One client an account, made when it is first needed."""

    def __init__(self, accounts: CachedAccounts, *, base_url: str) -> None:
        self._accounts = accounts
        self._base_url = base_url
        self._clients: dict[tuple[str, str], TwilioClient] = {}

    def lanes(self) -> Collection[Lane]:
        """Return every number that the organisations' settings name."""
        return self._accounts.lanes().keys()

    async def texts(self, lane: Lane, *, since: datetime) -> list[ListedText]:
        """Return a number's texts since then, all; raises `ListAway` or `ListRefused`."""
        account = self._accounts.lanes().get(lane)
        if account is None:
            raise ListRefused
        try:
            # A filter on DateSent knows days only; the list comes newest first and stops by time.
            found = await self._client(account).list_messages(to=lane.number, since=since)
        except Refused as error:
            raise ListRefused from error
        except Unanswered as error:
            raise ListAway(error.retry_after_seconds) from error
        except TwilioError as error:
            raise ListAway from error
        return [
            ListedText(
                account_sid=account.account_sid,
                message_sid=each.sid,
                from_number=each.from_ or "",
                to_number=each.to,
                body=each.body,
                segments=each.segments,
                created_at=each.created_at,
            )
            for each in found
            if each.direction == INBOUND
        ]

    async def stop(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.close()

    def _client(self, account: SigningAccount) -> TwilioClient:
        key = account.account_sid, account.token.get_secret_value()
        if key not in self._clients:
            self._clients[key] = TwilioClient(
                account_sid=account.account_sid,
                auth_token=account.token,
                base_url=self._base_url,
                max_connections=CONNECTIONS,
            )
        return self._clients[key]
