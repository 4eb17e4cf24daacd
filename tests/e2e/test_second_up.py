"""Whatever ends an `up` in mid-campaign, the next one finishes what it began."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiokafka.errors import KafkaError
from tests.chaos.campaigns import Campaigns, seeded
from tests.chaos.judge import judge
from tests.chaos.staff import Staff
from tests.chaos.verdict import Verdict
from tests.chaos.witnesses import gather
from tests.chaos.world import World, simulated_world

from textmanager import runfile
from textmanager.errors import UserError
from textmanager.plan import Options, Plan

pytestmark = [pytest.mark.e2e, pytest.mark.engines, pytest.mark.xdist_group("e2e")]

MEMBERS = 200
RATE = 60.0
PROOF_SECONDS = 50.0
STOP_SECONDS = 10.0
SEED = int(os.environ.get("TEXTMANAGER_TEST_SEED") or time.time_ns() % 1_000_000)


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
        async with asyncio.timeout(100):
            while b"Ctrl-C stops everything" not in (line := await process.stdout.readline()):
                assert line, "up ended before it was ready"
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def accepted(world: World, count: int) -> None:
    """Return once Twilio has accepted so many."""
    async with asyncio.timeout(100):
        while world.accepted < count:
            await asyncio.sleep(0.05)


async def verdict_of(plan: Plan, campaigns: Campaigns) -> Verdict:
    """Return the verdict, once it is good or the time is over."""
    deadline = time.monotonic() + PROOF_SECONDS
    staff = Staff(campaigns, lambda _words: None)
    while True:
        try:
            verdict = judge(await gather(staff, at=plan.addresses, segments_per_second=RATE))
        except (OSError, KafkaError, UserError):
            if time.monotonic() > deadline:
                raise
        else:
            if verdict.good or time.monotonic() > deadline:
                return verdict
        await asyncio.sleep(0.5)


def left_alive(state: Path) -> list[str]:
    return [one.name for one in runfile.read(state) if one.pid and psutil.pid_exists(one.pid)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGINT])
async def test_a_second_up_finishes_what_the_first_began(
    tmp_path: Path, signum: signal.Signals
) -> None:
    state = tmp_path / "state"
    async with simulated_world(tmp_path, members=MEMBERS, seed=SEED) as world:
        # Made while the ports are free: each `up` takes those that it chose.
        plan = Plan(Options(state_dir=state), world.environ)
        async with up(state, world) as first:
            campaigns = await seeded(world, plan, segments_per_second=RATE)
            await campaigns.launch()
            await accepted(world, random.Random(SEED).randrange(20, 100))
            began = time.monotonic()
            first.send_signal(signum)
            await first.wait()
            assert time.monotonic() - began < STOP_SECONDS
            sent_by_the_first = world.accepted
        async with up(state, world):
            verdict = await verdict_of(plan, campaigns)
            assert verdict.good, (SEED, sent_by_the_first, verdict)
            assert sent_by_the_first < verdict.accepted == verdict.messages
    assert left_alive(state) == []
