"""A mail server and read models in memory, and the notifier put together around them."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from tests.notifier.facts import Clock

from chassis.store import Store
from notifier.adapters.knowledge import SqlKnowledge
from notifier.adapters.mails import SqlMails
from notifier.adapters.pages import JinjaPages
from notifier.composing import Composer
from notifier.domain.figures import UNDER_WAY, Figures, Hour, Row, RunFacts
from notifier.domain.letters import Attachment, Letter, Verdict
from notifier.ports import PostClosed, RunReport
from notifier.posting import Pace, Posting
from twilio_client.explained import advice, meaning


@dataclass
class FakePost:
    """A mail server that keeps what it takes, and refuses whom it is told to."""

    letters: list[tuple[Letter, frozenset[str]]] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    closed: bool = False
    hangs_after_taking: bool = False
    took: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, letter: Letter, to: Collection[str]) -> dict[str, Verdict]:
        if self.closed:
            raise PostClosed("closed")
        said = {each: self.verdicts.get(each, Verdict.TAKEN) for each in to}
        taken = frozenset(each for each, verdict in said.items() if verdict is Verdict.TAKEN)
        if taken:
            self.letters.append((letter, taken))
        if self.hangs_after_taking:
            self.took.set()
            await asyncio.Event().wait()
        return said

    @property
    def subjects(self) -> list[str]:
        return [letter.subject for letter, _ in self.letters]

    @property
    def mail_ids(self) -> list[UUID]:
        return [letter.mail_id for letter, _ in self.letters]


def row(number: int, status: str = "delivered", **fields: object) -> Row:
    values: dict[str, object] = {
        "row": number,
        "imis_id": f"M{number}",
        "to": f"+1415555{number:04d}",
        "status": status,
        "reason": "",
        "error_code": None,
        "segments": 1,
        "sid": f"SM{number}",
        "attempted_at": None,
        "status_at": None,
        "activity": "",
        "activity_seqn": "",
    }
    return Row(**{**values, **fields})  # type: ignore[arg-type]


@dataclass
class FakeReports:
    """The read models of one run."""

    rows: list[Row] = field(default_factory=lambda: [row(1), row(2), row(3, "sent")])
    test: bool = False
    name: str = "Dues"
    hours: Sequence[Hour] = ()
    counted: int = 0

    async def complete(self, organization_id: UUID, run_id: UUID, *, rows: int) -> bool:
        under_way = {each.status for each in self.rows} & UNDER_WAY
        return len(self.rows) >= rows and not under_way

    async def report(self, organization_id: UUID, run_id: UUID) -> RunReport | None:
        self.counted += 1
        figures = Figures()
        for each in self.rows:
            figures.take(each)
        run = RunFacts(
            name=self.name,
            test=self.test,
            occurrence="launch:1",
            due_at=None,
            started_at=None,
            completed_at=None,
            from_number="+18885550100",
            resends_earlier=False,
            alarm="",
        )
        return RunReport(run, figures, Attachment("run.csv", "csv", b"row\r\n"), self.hours)


@dataclass
class Office:
    """One process of the notifier."""

    store: Store
    clock: Clock
    post: FakePost
    reports: FakeReports
    mails: SqlMails
    posting: Posting

    async def work(self) -> None:
        """Step until nothing more is to be done at once."""
        while await self.posting.step():
            pass


def office(
    store: Store,
    clock: Clock,
    *,
    post: FakePost | None = None,
    reports: FakeReports | None = None,
    instance: str = "t-1",
    alerts_an_hour: int = 5,
) -> Office:
    post, reports = post or FakePost(), reports or FakeReports()
    mails = SqlMails(store, instance=instance, process=uuid4(), alerts_an_hour=alerts_an_hour)
    composer = Composer(
        knowledge=SqlKnowledge(store),
        reports=reports,
        pages=JinjaPages(),
        meaning=meaning,
        advice=advice,
        figures_patience=timedelta(minutes=10),
        late_report_after=timedelta(hours=72),
        late_quiet=timedelta(seconds=60),
    )
    pace = Pace(
        lease=timedelta(minutes=5),
        claim=8,
        retry=timedelta(seconds=5),
        longest_retry=timedelta(minutes=5),
        give_up=timedelta(days=7),
    )
    posting = Posting(mails, composer, post, clock=clock, pace=pace)
    return Office(store, clock, post, reports, mails, posting)
