"""A campaign on a whole system whose outsides live on while any part of the system dies."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaError

from contracts.personal import loggable
from contracts.topics import DEAD_LETTERS
from simulators.imis.app import ImisSimulator
from simulators.imis.settings import Settings as ImisSettings
from simulators.shared import running
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.settings import Settings as TwilioSettings
from textmanager.audit import history
from textmanager.demo.api import Gateway
from textmanager.demo.evidence import gather
from textmanager.demo.journey import Launched, launch
from textmanager.demo.outside import Outside
from textmanager.demo.proof import Verdict, prove
from textmanager.errors import UserError
from textmanager.eventlog import read_log
from textmanager.plan import Plan
from textmanager.probe import is_ready
from textmanager.seed import ACCOUNT_SID, AUTH_TOKEN, seed_demo_organization
from textmanager.supervisor import Supervisor

# A doubt is settled within seconds; with these, no wait is shorter than what it must outlast.
SHORT_TIMES = {
    "TEXTMANAGER_SENDER_REQUEST_TIMEOUT": "2",
    "TEXTMANAGER_SENDER_CONNECT_TIMEOUT": "1",
    "TEXTMANAGER_SENDER_LEASE": "4",
    "TEXTMANAGER_SENDER_GRACE": "2",
    "TEXTMANAGER_SENDER_SECOND_LOOK": "2",
    "TEXTMANAGER_SENDER_SWEEP": "0.5",
    "TEXTMANAGER_IMIS_WRITER_REQUEST_TIMEOUT": "2",
    "TEXTMANAGER_IMIS_WRITER_LEASE": "5",
    "TEXTMANAGER_IMIS_WRITER_FIRST_LOOK": "2",
    "TEXTMANAGER_IMIS_WRITER_SECOND_LOOK": "2.5",
    "TEXTMANAGER_IMIS_WRITER_LOGIN_PAUSE": "2",
    "TEXTMANAGER_IMIS_WRITER_POLL": "0.3",
    "TEXTMANAGER_AUDIENCE_LEASE_SECONDS": "3",
}
# Twilio tries a callback six times; so far apart that an outage of 20 s loses none.
CALLBACK_RETRY_MS = 4000.0
AWAY = (OSError, KafkaError, UserError)


@dataclass(slots=True)
class World:
    """The simulated outsides: in the test's own process, so nothing that is killed harms them."""

    twilio: TwilioSimulator
    imis: ImisSimulator
    outside: Outside

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a system in this world."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TEXTMANAGER_")}
        outsides = {
            "TEXTMANAGER_TWILIO_URL": self.outside.twilio_url,
            "TEXTMANAGER_IMIS_URL": self.outside.imis_url,
        }
        return clean | SHORT_TIMES | outsides


@asynccontextmanager
async def simulated_world(folder: Path, *, recipients: int, seed: int) -> AsyncIterator[World]:
    """Serve both simulators while the block runs."""
    folders = folder / "twilio", folder / "imis"
    for each in folders:
        each.mkdir(parents=True)
    twilio = TwilioSimulator(
        state=folders[0],
        accounts={ACCOUNT_SID: AUTH_TOKEN},
        settings=TwilioSettings(retry_delay_ms=CALLBACK_RETRY_MS),
        seed=seed,
    )
    imis = ImisSimulator(ImisSettings(recipients=recipients, seed=seed), state=folders[1])
    async with running(twilio) as twilio_url, running(imis) as imis_url:
        yield World(twilio, imis, Outside(twilio_url, imis_url))


@dataclass(slots=True)
class Campaign:
    """One launched campaign, and what is to be proved of it."""

    world: World
    plan: Plan
    gateway: Gateway
    launched: Launched

    @property
    def run_id(self) -> str:
        """The run that is under way."""
        return self.launched.run_id

    async def accepted(self, count: int, *, within_seconds: float = 60.0) -> None:
        """Return once Twilio has accepted so many."""
        async with asyncio.timeout(within_seconds):
            while await self.world.outside.accepted() < count:
                await asyncio.sleep(0.05)

    async def proven(self, *, within_seconds: float, unheard: Sequence[str] = ()) -> Verdict:
        """Return the verdict, once it is good or the time is over.

        Of the numbers in `unheard` Twilio never tells the last status, so nobody can know it.
        """
        deadline = time.monotonic() + within_seconds
        verdict = Verdict(disagreements=["there was never any evidence"])
        while time.monotonic() < deadline:
            try:
                run = await self.gateway.get(f"/v1/runs/{self.run_id}")
                if run["state"] == "completed" or deadline - time.monotonic() < 5:
                    verdict = await self._verdict(unheard)
                    if verdict.agreed:
                        return verdict
            except AWAY:
                # Something is still on its way back.
                pass
            await asyncio.sleep(0.5)
        return verdict

    async def _verdict(self, unheard: Sequence[str]) -> Verdict:
        evidence = await gather(
            outside=self.world.outside,
            gateway=self.gateway,
            iqa_path=self.launched.iqa_path,
            run_id=self.run_id,
            kafka_url=self.plan.addresses.kafka,
            database_url=self.plan.addresses.database,
            secret_key=self.plan.secret_key,
        )
        verdict = prove(evidence)
        of_unheard = {
            f"message {message_id}: delivered at Twilio, sent in the log"
            for message_id, queued in evidence.log.queued.items()
            if queued.to in unheard
        }
        verdict.disagreements = [e for e in verdict.disagreements if e not in of_unheard]
        async for dead in read_log(self.plan.addresses.kafka, [DEAD_LETTERS]):
            verdict.disagreements.append(f"a dead letter: {dead.event.type} {dead.envelope.id}")
        return verdict

    async def story(self, verdict: Verdict) -> str:
        """Tell what is wrong, with the history of the first messages that it is about."""
        lines = [f"lost {verdict.lost}, sent twice {verdict.sent_twice}"]
        lines.append(f"activities twice {verdict.activities_twice}")
        lines += verdict.disagreements[:10]
        named = [e.split()[1].rstrip(":") for e in verdict.disagreements if "message " in e]
        for name in named[:3]:
            try:
                steps = await history(self.plan.addresses.kafka, UUID(name))
            except (ValueError, *AWAY):
                continue
            events = [step.logged.event for step in steps]
            lines += [f"history of {name}:", *(f"  {e.type} {loggable(e)}" for e in events)]
        return "\n".join(lines)


async def start_campaign(world: World, plan: Plan, *, rate: float) -> Campaign:
    """Make the demo organisation and send its campaign now, on a system that is ready."""
    gateway = Gateway(plan.addresses.gateway)
    await seed_demo_organization(
        gateway_url=plan.addresses.gateway,
        operator_token=plan.operator_token,
        imis_url=world.outside.imis_url,
        segments_per_second=rate,
    )
    launched = await launch(gateway, say=lambda _: None)
    return Campaign(world, plan, gateway, launched)


@dataclass(slots=True)
class Killer:
    """Kills processes as a crash would, and keeps book of it."""

    system: Supervisor
    random: random.Random
    book: list[tuple[float, str]] = field(default_factory=list)
    back_after: list[tuple[str, float]] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _watching: set[asyncio.Task[None]] = field(default_factory=set)

    def kill(self, *names: str) -> None:
        """Kill these at the same moment."""
        for name in names:
            if self.system.kill(name) is not None:
                self.book.append((round(time.monotonic() - self._began, 2), name))
                watch = asyncio.create_task(self._watch(name))
                self._watching.add(watch)
                watch.add_done_callback(self._watching.discard)

    async def rounds(self, victims: Sequence[tuple[str, ...]], *, pause: float) -> None:
        """Kill one after the other in an order drawn by the seed."""
        for names in self.random.sample(victims, len(victims)):
            await asyncio.sleep(pause * self.random.uniform(0.5, 1.5))
            self.kill(*names)

    async def all_back(self, *, within_seconds: float = 40.0) -> None:
        """Return once everything that was killed is ready again."""
        if self._watching:
            _, late = await asyncio.wait(self._watching, timeout=within_seconds)
            assert not late, f"not back after {within_seconds} s: {self.book}"

    async def _watch(self, name: str) -> None:
        killed_at = time.monotonic()
        before = self._process(name)
        while self._process(name)["started"] in {None, before["started"]}:
            await asyncio.sleep(0.05)
        if before["kind"] == "service":
            while not await is_ready(f"{before['url']}/readyz"):
                await asyncio.sleep(0.1)
        self.back_after.append((name, round(time.monotonic() - killed_at, 2)))

    def _process(self, name: str) -> dict[str, Any]:
        found = next(e for e in self.system.processes if e.name in {name, f"{name}-1"})
        return {"started": found.started, "kind": found.kind, "url": found.url}
