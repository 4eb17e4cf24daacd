"""`textmanager audit verify`: reads the log and the stores, and says what it found."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.progress import Progress, TextColumn, TimeElapsedColumn

from chassis.settings import ServiceSettings
from contracts.topics import FOREVER, TOPICS
from textmanager.audit import kafka_of
from textmanager.errors import UserError
from textmanager.eventlog import read_log
from textmanager.places import service_settings
from textmanager.verify import checks, stores
from textmanager.verify.book import Book
from textmanager.verify.checks import Finding

FACTS = tuple(
    topic.name for topic in TOPICS if topic.config == FOREVER and "letters" not in topic.name
)
"""The topics that are kept for ever: every figure can be rebuilt from them."""
SETTLE_SECONDS = 3.0
MOST_SHOWN = 20
CHECKS = {
    "events": "each event has one content under its id",
    "causes": "each event's cause is in the log",
    "derived ids": "runs, recipients, messages and activities have the ids that follow from them",
    "runs": "each run began once and ended at most once",
    "pages": "no page of recipients is missing",
    "totals": "pages and rejections add up to the rows that the IQA returned",
    "chains": "each message comes from one row, with the text that was resolved",
    "accounted for": "each row of a run that is over was sent, or left out for one reason",
    "sent once": "each message has one SID at most, each SID one message",
    "statuses": "each status is what the sender and Twilio said",
    "activities": "each activity was written once, for a text that was sent",
    "ledger": "the sender's ledger says what the log says",
    "read models": "staff see of each message what the log says last",
    "outboxes": "every event that a service made is in the log",
}


@dataclass(slots=True)
class Report:
    """What was looked at, and what should not be."""

    runs: int
    messages: int
    events: int
    repeats: int
    under_way: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing was found that should not be."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self) | {
            "verdict": "whole" if self.whole else "not whole",
            "findings": [
                {key: str(value) for key, value in asdict(each).items() if value is not None}
                for each in self.findings
            ],
        }


async def verify(
    kafka_url: str,
    settings: ServiceSettings,
    *,
    run_id: UUID | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Check the log against itself and the stores against the log.

    What is found while the system works may be an event on its way: it is looked at once more,
    and only what is found both times counts.
    """
    report = await _look(kafka_url, settings, run_id, progress)
    if report.findings:
        await asyncio.sleep(SETTLE_SECONDS)
        first = set(report.findings)
        report = await _look(kafka_url, settings, run_id, progress)
        report.findings = [each for each in report.findings if each in first]
    return report


async def _look(
    kafka_url: str,
    settings: ServiceSettings,
    run_id: UUID | None,
    progress: Callable[[int], None],
) -> Report:
    # The stores first: what they hold by then, the log has or gets from an outbox.
    held = await stores.read(settings, run_id=run_id)
    book = Book()
    async for logged in read_log(kafka_url, FACTS):
        book.take(logged)
        if len(book.events) % 1000 == 0:
            progress(len(book.events))
    book.close()
    progress(len(book.events))
    if run_id is not None and run_id not in book.runs:
        raise UserError(f"The log has no run {run_id}: check the id.")
    chains = [each for each in book.chains.values() if run_id in {None, each.run_id}]
    return Report(
        runs=len(book.runs) if run_id is None else 1,
        messages=len(chains),
        events=len(book.events),
        repeats=book.repeats,
        under_way=checks.under_way(book, run_id),
        findings=[*checks.all_of(book, run_id), *stores.against(book, held, run_id)],
    )


def run(state_dir: Path, run_id: str | None, *, as_json: bool) -> int:
    """Print the report; 0 when all is whole."""
    wanted = None
    if run_id is not None:
        try:
            wanted = UUID(run_id)
        except ValueError as error:
            raise UserError(f"{run_id!r} is no run id: it is a UUID.") from error
    kafka_url, settings = kafka_of(state_dir), service_settings(state_dir)
    bar = Progress(
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,} events"),
        TimeElapsedColumn(),
        transient=True,
        disable=as_json or not sys.stdout.isatty(),
    )
    with bar:
        task = bar.add_task("Reading the log", total=None)
        report = asyncio.run(
            verify(
                kafka_url,
                settings,
                run_id=wanted,
                progress=lambda count: bar.update(task, completed=count),
            )
        )
    if as_json:
        sys.stdout.write(json.dumps(report.as_json()) + "\n")
    else:
        sys.stdout.write("\n".join(lines(report)) + "\n")
    return 0 if report.whole else 1


def lines(report: Report) -> list[str]:
    """Return the report for people to read."""
    counted = Counter(each.check for each in report.findings)
    shown = [
        f"{report.events:,} events of {report.runs:,} runs and {report.messages:,} messages"
        + (f"; {report.repeats:,} records came again and change nothing" if report.repeats else "")
    ]
    for check, promise in CHECKS.items():
        shown.append(f"  {'ok ' if not counted[check] else 'NOT'}  {check:<14} {promise}")
    for each in report.findings[:MOST_SHOWN]:
        about = f"message {each.message_id}: " if each.message_id else ""
        about = about or (f"run {each.run_id}: " if each.run_id else "")
        shown.append(f"{each.check}: {about}{each.what}")
    if len(report.findings) > MOST_SHOWN:
        shown.append(f"... and {len(report.findings) - MOST_SHOWN:,} more; --json has them all")
    if report.under_way:
        shown.append(f"{report.under_way:,} messages are still under way")
    found = len(report.findings)
    shown.append("whole" if report.whole else f"not whole: {found:,} findings")
    return shown
