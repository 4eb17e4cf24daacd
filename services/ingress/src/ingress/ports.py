"""What the ingress needs of the outside."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.base import Event
from ingress.domain import Form


class LogAway(Exception):
    """The log did not acknowledge the event in time; it may have it all the same."""


class SpoolAway(Exception):
    """The spool could not keep the event."""


class Owner(Protocol):
    """An organisation, by its Twilio account."""

    @property
    def organization_id(self) -> UUID:
        """The organisation."""

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers that the organisation texts from."""

    def signed(self, url: str, form: Form, signature: str) -> bool:
        """Whether this signature was made with the account's token."""


class Accounts(Protocol):
    """Whose account a SID names."""

    def owners(self, account_sid: str) -> Sequence[Owner]:
        """Return the organisations that named this account as theirs, one as a rule."""


class Log(Protocol):
    """The event log itself."""

    async def append(self, envelope: Envelope[Event]) -> None:
        """Return once the log has the event; raises `LogAway`."""


class Spool(Protocol):
    """Keeps events durably until the log takes them."""

    async def keep(self, envelope: Envelope[Event]) -> None:
        """Return once the event would survive a power cut; raises `SpoolAway`."""
