"""The simulated outsides, which live on while any part of the system dies."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from simulators.imis.app import ImisSimulator
from simulators.imis.settings import Settings as ImisSettings
from simulators.shared import running
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.settings import Settings as TwilioSettings
from textmanager.seed import ACCOUNT_SID, AUTH_TOKEN

# Twilio tries a callback six times at most; so far apart that an outage of 20 s loses none.
CALLBACK_RETRY_MS = 4000.0
# How often the simulators' own process feels its pulse, and from when on it calls it a stall.
PULSE_SECONDS = 0.02
STALL_SECONDS = 0.05
# A doubt is settled within seconds; with these, no wait is shorter than what it must outlast: a
# process that doesn't answer is killed before what it claimed can be found absent.
SHORT_TIMES = {
    "TEXTMANAGER_UNREACHABLE_SECONDS": "6",
    "TEXTMANAGER_SENDER_REQUEST_TIMEOUT": "2",
    "TEXTMANAGER_SENDER_CONNECT_TIMEOUT": "1",
    "TEXTMANAGER_SENDER_LEASE": "4",
    "TEXTMANAGER_SENDER_GRACE": "3",
    "TEXTMANAGER_SENDER_SECOND_LOOK": "2",
    "TEXTMANAGER_SENDER_SWEEP": "0.5",
    "TEXTMANAGER_IMIS_WRITER_REQUEST_TIMEOUT": "2",
    "TEXTMANAGER_IMIS_WRITER_LEASE": "5",
    "TEXTMANAGER_IMIS_WRITER_FIRST_LOOK": "2",
    "TEXTMANAGER_IMIS_WRITER_SECOND_LOOK": "2.5",
    "TEXTMANAGER_IMIS_WRITER_POLL": "0.3",
    "TEXTMANAGER_IMIS_WRITER_REFUSAL_PAUSE": "0.5",
    "TEXTMANAGER_AUDIENCE_LEASE_SECONDS": "3",
    "TEXTMANAGER_STATUS_FIRST_LOOK": "5",
    "TEXTMANAGER_STATUS_LONGEST_WAIT": "8",
    "TEXTMANAGER_STATUS_SWEEP": "1",
    "TEXTMANAGER_STATUS_REQUESTS_PER_SECOND": "20",
    "TEXTMANAGER_STATUS_BACK_OFF": "2",
    "TEXTMANAGER_STATUS_REFUSED_WAIT": "3",
    "TEXTMANAGER_STATUS_REQUEST_TIMEOUT": "2",
    "TEXTMANAGER_STATUS_CONNECT_TIMEOUT": "1",
    "TEXTMANAGER_INGRESS_CATCH_UP_SECONDS": "5",
    "TEXTMANAGER_INGRESS_CATCH_UP_PAUSE_SECONDS": "2",
    "TEXTMANAGER_INGRESS_CATCH_UP_LEASE_SECONDS": "6",
    "TEXTMANAGER_NOTIFIER_TIMEOUT": "2",
    "TEXTMANAGER_NOTIFIER_LEASE": "5",
    "TEXTMANAGER_NOTIFIER_RETRY": "0.5",
}


@dataclass(slots=True)
class World:
    """Both simulators, in this process: nothing that is killed harms them."""

    twilio: TwilioSimulator
    imis: ImisSimulator
    twilio_url: str
    imis_url: str
    stalls: list[tuple[float, float]] = field(default_factory=list)
    """From when to when this process stood still: what came meanwhile seems to come at once."""

    @property
    def environ(self) -> dict[str, str]:
        """The environment of a system in this world."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TEXTMANAGER_")}
        outsides = {
            "TEXTMANAGER_TWILIO_URL": self.twilio_url,
            "TEXTMANAGER_IMIS_URL": self.imis_url,
        }
        return clean | SHORT_TIMES | outsides

    @property
    def accepted(self) -> int:
        """How many texts Twilio has accepted so far."""
        return len(self.twilio.store.texts)

    @property
    def activities(self) -> int:
        """How many activities were ever written to iMIS."""
        return self.imis.ledger.created

    def calm(self) -> None:
        """Let nothing go wrong outside from now on."""
        self.twilio.faults.clear()
        self.imis.faults.clear()


@asynccontextmanager
async def simulated_world(folder: Path, *, members: int, seed: int) -> AsyncIterator[World]:
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
    imis = ImisSimulator(ImisSettings(recipients=members, seed=seed), state=folders[1])
    async with running(twilio) as twilio_url, running(imis) as imis_url:
        world = World(twilio, imis, twilio_url, imis_url)
        pulse = asyncio.create_task(_feel_pulse(world.stalls))
        try:
            yield world
        finally:
            pulse.cancel()
            with suppress(asyncio.CancelledError):
                await pulse


async def _feel_pulse(stalls: list[tuple[float, float]]) -> None:
    while True:
        asleep = time.time()
        await asyncio.sleep(PULSE_SECONDS)
        if (awake := time.time()) - asleep > PULSE_SECONDS + STALL_SECONDS:
            stalls.append((asleep, awake))
