"""What the notifier needs of the outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from contracts.events.campaign import CampaignDue, CampaignEvent
from contracts.events.organization import OrganizationSettings
from contracts.events.run import RunResent
from notifier.domain.figures import Figures, Hour, RunFacts
from notifier.domain.letters import Attachment, Letter, Verdict
from notifier.domain.notices import Facts, Notice
from notifier.domain.schedule import Known


class Notices(Protocol):
    """What is to be told, within one transaction."""

    async def note(
        self, notices: Sequence[Notice], *, not_before: datetime, latest: datetime | None = None
    ) -> None:
        """Have these told, unless they are noted already; `latest` bounds how far they move."""

    async def put_off(self, mail_ids: Collection[UUID], *, until: datetime) -> None:
        """Let those that still wait do so until then, but not past their `latest`."""

    async def bring_forward(self, mail_ids: Collection[UUID], *, to: datetime) -> None:
        """Let those that still wait be looked at then, if that is sooner."""

    async def drop(self, notices: Sequence[Notice]) -> None:
        """Never tell these, unless they have been told."""


class Campaigns(Protocol):
    """What is known of campaigns and their runs, within one transaction."""

    async def known(self, campaign_ids: Collection[UUID]) -> dict[UUID, Known]:
        """Return what is known of each, and hold it for this transaction."""

    async def keep(self, known: Mapping[UUID, Known]) -> None:
        """Keep what is known of campaigns, and when each is expected to run."""

    async def know_runs(self, runs: Sequence[CampaignDue | RunResent]) -> None:
        """Know which runs there are."""

    async def overdue(self, *, before: datetime, limit: int) -> dict[UUID, Known]:
        """Return the campaigns of which no run began in time, and hold them."""


class Refusals(Protocol):
    """The activities that iMIS doesn't have, within one transaction."""

    async def count(self, refused: Mapping[UUID, tuple[UUID, str]]) -> None:
        """Count each effect once, with its run and the reason."""


class Log(Protocol):
    """The log that silence is listened for on."""

    async def read_to_end(self) -> bool:
        """Whether all that was there when asked is in the tables; False when in doubt."""


class State(StrEnum):
    """Where a mail is."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENT = "sent"
    REFUSED = "refused"
    """By the mail server, for good."""
    GIVEN_UP = "given_up"
    """It could not be sent until it was of no more use."""
    NO_ADDRESS = "no_address"
    DROPPED = "dropped"
    """It is not to be told after all."""
    TOGETHER = "together"
    """It is told in another mail, together with others."""


@dataclass(frozen=True, slots=True)
class Job:
    """A mail that is in hand."""

    notice: Notice
    attempts: int
    """How often it was in hand, this time included: whoever has it in hand knows it by this."""
    failures: int = 0
    settled: frozenset[str] = field(default=frozenset(), repr=False)
    """The addresses that need it no more."""
    together: tuple[Notice, ...] = ()
    """What is told in it, where that is more than its own notice."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mail in hand; one that goes on waiting says until when."""

    job: Job
    state: State
    not_before: datetime | None = None
    settled: frozenset[str] = field(default=frozenset(), repr=False)
    failures: int = 0
    follows: Notice | None = None
    """What is noted because it was sent."""
    follows_not_before: datetime | None = None


class Mails(Protocol):
    """The mails that wait, are in hand, or are done with."""

    async def recover(self, *, at: datetime) -> int:
        """Let the mails of dead processes wait again, under their Message-IDs; returns how many."""

    async def claim(self, *, at: datetime, lease_until: datetime, limit: int) -> list[Job]:
        """Take mails whose time has come in hand; it is committed on return."""

    async def record(self, results: Sequence[Result], *, at: datetime) -> None:
        """Keep what became of mails."""


@dataclass(frozen=True, slots=True)
class RunKnown:
    """What is known of a run for the words of an alert."""

    due_at: datetime | None
    test: bool


class Knowledge(Protocol):
    """What the words of a mail need of the notifier's own database."""

    async def settings(self, organization_id: UUID) -> OrganizationSettings | None:
        """Return an organisation's settings, if they have arrived."""

    async def campaigns(self, campaign_ids: Collection[UUID]) -> dict[UUID, CampaignEvent]:
        """Return the newest state of those that have arrived."""

    async def runs(self, run_ids: Collection[UUID]) -> dict[UUID, RunKnown]:
        """Return what is known of those that have arrived."""

    async def refusals(self, run_id: UUID) -> list[tuple[str, int]]:
        """Return why iMIS doesn't have some activities, the most frequent reason first."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """All that a run's report says."""

    run: RunFacts
    figures: Figures
    attachment: Attachment | None
    """None when it would be too large to mail."""
    hours: Sequence[Hour] = ()
    """The hours in which texts were tried, the earliest first."""


class Reports(Protocol):
    """The read models."""

    async def complete(self, organization_id: UUID, run_id: UUID, *, rows: int) -> bool:
        """Whether they have the run to its end, with so many rows; asked at little cost."""

    async def report(self, organization_id: UUID, run_id: UUID) -> RunReport | None:
        """Return a run's report as of now; None while the read models don't know the run."""


class Pages(Protocol):
    """Turns facts into a mail's words, as text and as HTML."""

    def page(self, name: str, values: Facts) -> tuple[str, str]:
        """Return the text and the HTML."""


class PostClosed(Exception):
    """The mail server can't be had now, or not as we are set up; mail waits."""


class Post(Protocol):
    """The mail server."""

    async def deliver(self, letter: Letter, to: Collection[str]) -> dict[str, Verdict]:
        """Hand over a mail for some of its addresses; raises `PostClosed`.

        Who was neither taken nor refused may have got it: it comes again under its Message-ID.
        """
