"""One run: a whole system, campaigns under way, a monkey, and the judge's last word."""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import SecretStr
from tests.chaos.campaigns import Campaigns, seeded
from tests.chaos.job import APART, MOST
from tests.chaos.judge import judge
from tests.chaos.monkey import Monkey
from tests.chaos.plan import PAGING, STAFF, Stop, draw_plan
from tests.chaos.staff import Staff
from tests.chaos.verdict import Verdict
from tests.chaos.witnesses import gather
from tests.chaos.world import World, simulated_world

from chassis.settings import ServiceSettings
from textmanager.audit import history
from textmanager.audit_lines import lines
from textmanager.databases import Database
from textmanager.errors import UserError
from textmanager.plan import Options
from textmanager.supervisor import Supervisor
from textmanager.verify.command import Report, verify
from textmanager.verify.command import lines as audit_lines

REPLICAS = {"sender": 2, "status": 2, "scheduler": 2}
JOB_MEMBERS = 8
AWAY = (OSError, KafkaError, UserError)
POLL_SECONDS = 0.05
# The seconds between two strikes, at the seed's pace, if all goes well; and at most.
STRIKE_SECONDS = 1.5
LONGEST_WAIT_SECONDS = 4.0
SEGMENTS_A_MESSAGE = 1.15
SLOWEST, FASTEST = 15.0, 150.0
# What everything may take to be ready again before another campaign is launched.
READY_SECONDS = 240.0
# What no patience mends: when nothing else is wrong, there is nothing to wait for.
FOR_GOOD = {"sent_twice", "wrong_text", "activities_twice", "limit_exceeded_windows"} | {
    "opted_out_late",
    "dead_letters",
    "late_after_stop",
    "two_ends",
    "occurrences_twice",
    "mails_twice",
}
MOST_HISTORIES = 10
HISTORY_WIDTH = 118


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to try; `rate` is in segments a second, chosen to outlast the kills if it is None."""

    kills: int = 50
    messages: int = 5000
    seed: int = 1
    faults: tuple[str, ...] = ()
    database: Database = "sqlite"
    rate: float | None = None
    patience_seconds: float = 180.0

    @property
    def segments_per_second(self) -> float:
        """The number's rate, at which one campaign lasts about as long as the kills."""
        if self.rate is not None:
            return self.rate
        lasting = self.messages * SEGMENTS_A_MESSAGE / max(1.0, self.kills * STRIKE_SECONDS)
        return round(min(max(lasting, SLOWEST), FASTEST), 1)


@dataclass(slots=True)
class Course:
    """What was done, and what the judge made of it."""

    wanted: Wanted
    verdict: Verdict
    audit: Report
    kills: dict[str, int]
    pauses: dict[str, int]
    recoveries: list[float]
    campaigns: int
    seconds: float
    stories: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether the judge and the log's own audit find nothing."""
        return self.verdict.good and self.audit.whole

    def as_json(self) -> dict[str, Any]:
        """The figures, the first seed, the last how long it all took."""
        back = self.recoveries or [0.0]
        return {
            "seed": self.wanted.seed,
            "database": self.wanted.database,
            "faults": list(self.wanted.faults),
            "kills": self.kills,
            "killed": sum(self.kills.values()),
            "pauses": self.pauses,
            "campaigns": self.campaigns,
            "messages": self.verdict.messages,
            "accepted": self.verdict.accepted,
            **asdict(self.verdict.figures),
            "audit": "whole" if self.audit.whole else "not whole",
            "recovery_seconds_p50": round(statistics.median(back), 2),
            "recovery_seconds_max": round(max(back), 2),
            "seconds": round(self.seconds, 1),
        }


async def run(wanted: Wanted, folder: Path) -> Course:
    """Try it on a fresh folder, which gets the system's state and the simulators' records."""
    began = time.monotonic()

    def say(words: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:7.1f} s  {words}\n")
        sys.stderr.flush()

    async with _system(wanted, folder) as (world, system):
        await system.wait_ready(READY_SECONDS)
        world.twilio.settings.inbound_url = f"{system.addresses.public}/twilio/inbound"
        rate = wanted.segments_per_second
        campaigns = await seeded(world, system.plan, segments_per_second=rate)
        say(f"seed {wanted.seed}: {wanted.kills} kills at {rate:g} segments a second")
        staff = Staff(campaigns, say)
        monkey = Monkey(system, world, staff, say)
        try:
            await _Trial(wanted, world, system, campaigns, monkey, say).go()
            verdict = await _quiet(wanted, system, staff, say)
            audit = await _audit(system, say)
            stories = [] if verdict.good else await _stories(system.addresses.kafka, verdict)
            stories += audit_lines(audit) if not audit.whole else []
        finally:
            await monkey.end()
    return Course(
        wanted=wanted,
        verdict=verdict,
        audit=audit,
        kills=dict(sorted(monkey.kills.items())),
        pauses=dict(sorted(monkey.pauses.items())),
        recoveries=monkey.recoveries,
        campaigns=len(campaigns.ids),
        seconds=time.monotonic() - began,
        stories=stories,
    )


@asynccontextmanager
async def _system(wanted: Wanted, folder: Path) -> AsyncIterator[tuple[World, Supervisor]]:
    options = Options(state_dir=folder / "state", replicas=REPLICAS, database=wanted.database)
    async with (
        simulated_world(folder, members=wanted.messages, seed=wanted.seed) as world,
        Supervisor(options, world.environ) as system,
    ):
        yield world, system


@dataclass(slots=True)
class _Trial:
    """The plan carried out, step by step, with always something left to send."""

    wanted: Wanted
    world: World
    system: Supervisor
    campaigns: Campaigns
    monkey: Monkey
    say: Callable[[str], None]

    async def go(self) -> None:
        """Carry it out, and wait until everything is back and the weather is fair."""
        wanted = self.wanted
        victims = [one.name for one in self.system.processes if one.kind != "simulator"]
        steps = draw_plan(
            seed=wanted.seed, kills=wanted.kills, victims=victims, faults=wanted.faults
        )
        stops = sum(len(each.action.draw) for each in steps if isinstance(each.action, Stop))
        await self._launch()
        if STAFF in wanted.faults:
            times = int(wanted.kills * STRIKE_SECONDS / APART.total_seconds())
            await self.campaigns.begin_job(
                members=JOB_MEMBERS, occurrences=min(max(times, 1), MOST)
            )
        self.monkey.members = sorted(
            {text.to for text in self.campaigns.expected if text.campaign > 0}
        )
        for step in steps:
            texts = step.pace * STRIKE_SECONDS * wanted.segments_per_second / SEGMENTS_A_MESSAGE
            if self._left(stops) <= texts:
                await self._launch()
            await self._until_accepted(self.world.accepted + int(texts))
            await self.monkey.do(step.action)
        self.world.calm()
        await self.monkey.all_back(within_seconds=READY_SECONDS)
        self.say("everything is back")

    def _left(self, stops: int) -> int:
        """How many texts are still to be sent, at least."""
        return self.campaigns.left - stops * len(self.campaigns.ids)

    async def _launch(self) -> None:
        """Launch a campaign in a moment of peace; what it meets from then on is anything."""
        self.world.calm()
        await self.monkey.all_back(within_seconds=READY_SECONDS)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                run_id = await self.campaigns.launch()
                break
            except AWAY:
                # What came back a moment ago may still have to get its bearings.
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(1)
        number, _ = self.campaigns.newest
        self.say(f"campaign {number} launched to {self.wanted.messages} rows, run {run_id}")
        if PAGING in self.wanted.faults:
            self.monkey.move_rows(random.Random(self.wanted.seed * 1000 + number))

    async def _until_accepted(self, count: int) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while self.world.accepted < count and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)


async def _quiet(
    wanted: Wanted,
    system: Supervisor,
    staff: Staff,
    say: Callable[[str], None],
) -> Verdict:
    """Return the verdict once it is good, or the last one when the patience is over."""
    deadline = time.monotonic() + wanted.patience_seconds
    seen = ""
    while True:
        await asyncio.sleep(2.0)
        is_last = time.monotonic() > deadline
        try:
            verdict = judge(
                await gather(
                    staff,
                    at=system.addresses,
                    segments_per_second=wanted.segments_per_second,
                )
            )
        except AWAY as error:
            if is_last:
                raise
            say(f"a witness is away: {type(error).__name__}")
            continue
        wrong = {name: count for name, count in asdict(verdict.figures).items() if count}
        if wrong.keys() <= FOR_GOOD or is_last:
            return verdict
        if str(wrong) != seen:
            seen = str(wrong)
            say(f"not yet: {seen}")


async def _audit(system: Supervisor, say: Callable[[str], None]) -> Report:
    """Hold the log against itself and the stores against the log, as `audit verify` does."""
    settings = ServiceSettings(
        kafka_url=system.addresses.kafka,
        database_url=system.addresses.database,
        secret_key=SecretStr(system.plan.secret_key),
        instance="audit",
    )
    report = await verify(system.addresses.kafka, settings)
    say(f"audit: {audit_lines(report)[-1]}, {report.events} events")
    return report


async def _stories(kafka_url: str, verdict: Verdict) -> list[str]:
    """Tell each finding, and of the first messages that they are about all that happened."""
    told = [finding.words for finding in verdict.findings[: MOST_HISTORIES * 3]]
    messages = dict.fromkeys(f.message_id for f in verdict.findings if f.message_id is not None)
    for message_id in list(messages)[:MOST_HISTORIES]:
        words = "; ".join(f.words for f in verdict.findings if f.message_id == message_id)
        try:
            steps = await history(kafka_url, message_id)
        except AWAY as error:
            told.append(f"{message_id}: {words}; without a history: {error}")
            continue
        title = f"{message_id}: {words}"
        told += ["", *lines(steps, title=title, width=HISTORY_WIDTH)]
    return told
