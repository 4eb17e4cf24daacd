"""What the ingress needs of the outside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.provider import TwilioMessageReceived
from ingress.domain import Form, Lane, ListedText


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


class ListAway(Exception):
    """Twilio's list can't be read now; `again_seconds` is how long to leave it alone, if known."""

    def __init__(self, again_seconds: float | None = None) -> None:
        super().__init__("Twilio's list can't be read now")
        self.again_seconds = again_seconds


class ListRefused(Exception):
    """Twilio doesn't let us read the list, or nobody knows how; new settings may help."""


class TextList(Protocol):
    """Twilio's own list of the texts that members sent."""

    def lanes(self) -> Collection[Lane]:
        """Return every number that the organisations' settings name."""

    async def texts(self, lane: Lane, *, since: datetime) -> Sequence[ListedText]:
        """Return a number's texts since then, all; raises `ListAway` or `ListRefused`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A number whose list this process may read now, and up to when it was read before."""

    lane: Lane
    covered_until: datetime | None


class Readings(Protocol):
    """Which number's list is to be read when, and which texts are known: shared by processes."""

    async def plan(self, lanes: Collection[Lane], *, at: datetime) -> None:
        """Have each of these numbers read from now on, the new ones at once."""

    async def hurry(self) -> None:
        """Have every number read as soon as its pause is over: something may have been missed."""

    async def claim(self, *, at: datetime, limit: int) -> list[Reading]:
        """Take the numbers that are due, for the length of a lease."""

    async def settle(
        self,
        reading: Reading,
        texts: Sequence[Envelope[TwilioMessageReceived]],
        *,
        covered_until: datetime,
        at: datetime,
    ) -> int:
        """Let the texts leave that nobody knows, and note how far the number was read."""

    async def give_back(self, reading: Reading, *, again_at: datetime) -> None:
        """Have the number read later: it could not be."""

    async def note(self, texts: Collection[tuple[UUID, str]], *, at: datetime) -> None:
        """Know texts, each by its organisation and SID: their webhooks were taken."""

    async def forget(self, *, before: datetime) -> None:
        """Forget the texts that no reading reaches back to."""
