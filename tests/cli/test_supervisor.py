"""A whole installation comes up, heals, stops in time and goes on where it was."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from textmanager import runfile
from textmanager.child import Change
from textmanager.errors import UserError
from textmanager.plan import Options
from textmanager.status import statuses
from textmanager.supervisor import Supervisor

pytestmark = [pytest.mark.engines]
LIMIT_SECONDS = 60.0
OUTSIDE = {
    "TEXTMANAGER_TWILIO_URL": "http://127.0.0.1:1",
    "TEXTMANAGER_IMIS_URL": "http://127.0.0.1:1",
}


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


def engines_only(state: Path) -> Supervisor:
    return Supervisor(Options(state_dir=state, services=()), OUTSIDE)


async def test_a_killed_engine_comes_back_where_it_was(tmp_path: Path) -> None:
    async with engines_only(tmp_path) as system:
        await system.wait_ready()
        before = {one.name: one for one in system.processes}
        assert {one.health for one in await statuses(tmp_path)} == {"ready"}
        events = system.events()
        next_event = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)

        killed = system.kill("kafka")
        event = await next_event
        assert (event.name, event.pid, event.change) == ("kafka", killed, Change.EXITED)
        assert event.code == -signal.SIGKILL
        await eventually(lambda: system.processes[0].restarts == 1)
        await system.wait_ready()

        after = {one.name: one for one in system.processes}
        assert after["kafka"].port == before["kafka"].port
        assert after["kafka"].pid != killed
        assert after["valkey"].pid == before["valkey"].pid
        with pytest.raises(UserError, match="already runs on"):
            await Supervisor(system.options, OUTSIDE).start()
    assert not any(psutil.pid_exists(one.pid) for one in after.values() if one.pid)
    assert [one.pid for one in runfile.read(tmp_path)] == [None, None]


async def test_a_second_run_has_the_addresses_of_the_first(tmp_path: Path) -> None:
    async with engines_only(tmp_path) as first:
        await first.wait_ready()
        addresses, token = first.addresses, first.operator_token
    async with engines_only(tmp_path) as second:
        await second.wait_ready()
        assert (second.addresses, second.operator_token) == (addresses, token)


UP = """
import sys
from pathlib import Path
from textmanager.plan import Options
from textmanager.up import run
sys.exit(run(Options(state_dir=Path(sys.argv[1]), services=())))
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_up_stops_cleanly_on_a_signal(tmp_path: Path, signum: signal.Signals) -> None:
    up = subprocess.Popen(
        [sys.executable, "-c", UP, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert up.stdout is not None
    with up, up.stdout:
        try:
            told = ""
            while "Ctrl-C stops everything" not in told:
                line = up.stdout.readline()
                assert line, told
                told += line
            pids = [one["pid"] for one in json.loads((tmp_path / "run.json").read_text())]
            assert len(pids) == 4
            began = time.monotonic()
            up.send_signal(signum)
            assert up.wait(LIMIT_SECONDS) == 0
            assert time.monotonic() - began < 10
        finally:
            up.kill()
    assert not any(psutil.pid_exists(pid) for pid in pids)
