"""Whatever is killed in the middle of a campaign: each text once, each activity once."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.e2e.campaign import Campaign, Killer, World, simulated_world, start_campaign

from textmanager import runfile
from textmanager.demo.proof import Verdict
from textmanager.plan import Options, Plan
from textmanager.services import SERVICES
from textmanager.supervisor import Supervisor

pytestmark = [pytest.mark.e2e, pytest.mark.engines, pytest.mark.xdist_group("e2e")]

RECIPIENTS = 600
RATE = 60.0
PROOF_SECONDS = 50.0
STOP_SECONDS = 10.0
SEED = int(os.environ.get("TEXTMANAGER_TEST_SEED") or time.time_ns() % 1_000_000)

# How often each befalls a request at most, one in ten of those that it fits.
TWILIO_FAULTS = {
    "500_after": 8,
    "drop_after": 8,
    "half_answer": 4,
    "timeout_after": 4,
    "drop_before": 4,
    "429": 8,
    "callback_before_201": 10,
    "callback_reordered": 10,
    "callback_repeated": 10,
}
IMIS_FAULTS = {
    "timeout_after_commit": 4,
    "drop_after_commit": 6,
    "500_after": 6,
    "401_live_token": 3,
    "html_page": 3,
}
CHANCE = 0.1


def left_alive(state: Path) -> list[str]:
    return [one.name for one in runfile.read(state) if one.pid and psutil.pid_exists(one.pid)]


async def require(campaign: Campaign, verdict: Verdict, *, about: Any) -> None:
    if not verdict.agreed or not verdict.accepted:
        pytest.fail(f"seed {SEED}, {about}\n{await campaign.story(verdict)}")


async def test_any_process_may_be_killed_in_mid_campaign(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    state = tmp_path / "state"
    victims = [(name,) for name in (*SERVICES, "kafka", "valkey")]
    pair = tuple(chance.sample(SERVICES, 2))
    async with (
        simulated_world(tmp_path, recipients=RECIPIENTS, seed=SEED) as world,
        Supervisor(Options(state_dir=state), world.environ) as system,
    ):
        await system.wait_ready()
        campaign = await start_campaign(world, system.plan, rate=RATE)
        killer = Killer(system, chance)
        await killer.rounds([*victims, pair], pause=1.0)
        await killer.all_back()
        verdict = await campaign.proven(within_seconds=PROOF_SECONDS)
        await require(campaign, verdict, about=killer.book)
    assert len(killer.book) == len(victims) + 2
    assert left_alive(state) == []


async def test_faults_outside_and_kills_inside_together(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    state = tmp_path / "state"
    async with (
        simulated_world(tmp_path, recipients=RECIPIENTS // 2, seed=SEED) as world,
        Supervisor(Options(state_dir=state), world.environ) as system,
    ):
        await system.wait_ready()
        campaign = await start_campaign(world, system.plan, rate=RATE)
        unheard = await make_trouble(world, campaign, chance)
        killer = Killer(system, chance)
        await killer.rounds([("sender",), ("imis-writer",), ("status",)], pause=1.5)
        await killer.all_back()
        verdict = await campaign.proven(within_seconds=PROOF_SECONDS, unheard=unheard)
        await require(campaign, verdict, about=killer.book)
    assert left_alive(state) == []


async def make_trouble(world: World, campaign: Campaign, chance: random.Random) -> list[str]:
    """Switch the faults on; returns the numbers of which no callback comes."""
    audience = await world.outside.audience(campaign.launched.iqa_path)
    numbers = [row["Mobile Phone"] for row in audience if row["Mobile Phone"].startswith("+1")]
    unheard = chance.sample(numbers, 3)
    for number in unheard:
        world.twilio.faults.add("callback_lost", match={"to": number})
    for name, times in TWILIO_FAULTS.items():
        world.twilio.faults.add(name, chance=CHANCE, times=times)
    for name, times in IMIS_FAULTS.items():
        match = {"path": "/api/Activity"}
        world.imis.faults.add(name, chance=CHANCE, times=times, match=match)
    return unheard


@asynccontextmanager
async def up(state: Path, world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `textmanager up` until the block ends, and give it once it says that it is ready."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "textmanager", "up", "--state", str(state)),
        env=world.environ,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            while b"Ctrl-C stops everything" not in (line := await process.stdout.readline()):
                assert line, "up ended before it was ready"
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
async def test_a_second_up_finishes_what_the_first_began(
    tmp_path: Path, signum: signal.Signals
) -> None:
    state = tmp_path / "state"
    async with simulated_world(tmp_path, recipients=RECIPIENTS // 3, seed=SEED) as world:
        # Made while the ports are free: each `up` takes those that it chose.
        plan = Plan(Options(state_dir=state), world.environ)
        async with up(state, world) as first:
            campaign = await start_campaign(world, plan, rate=RATE)
            await campaign.accepted(random.Random(SEED).randrange(20, 100))
            began = time.monotonic()
            first.send_signal(signum)
            await first.wait()
            assert time.monotonic() - began < STOP_SECONDS
            sent_by_the_first = await world.outside.accepted()
        async with up(state, world):
            verdict = await campaign.proven(within_seconds=PROOF_SECONDS)
            await require(campaign, verdict, about=f"{sent_by_the_first} sent by the first")
            assert sent_by_the_first < verdict.accepted
    assert left_alive(state) == []
