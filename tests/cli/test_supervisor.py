"""A whole installation comes up, heals, stops in time and goes on where it was."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from textmanager import runfile
from textmanager.child import Change, ProcessEvent
from textmanager.errors import UserError
from textmanager.plan import Options
from textmanager.status import statuses
from textmanager.supervisor import Supervisor

pytestmark = [pytest.mark.engines]
LIMIT_SECONDS = 60.0
OUTSIDE = {
    "TEXTMANAGER_TWILIO_URL": "http://127.0.0.1:1",
    "TEXTMANAGER_IMIS_URL": "http://127.0.0.1:1",
    "TEXTMANAGER_SMTP_URL": "smtp://127.0.0.1:1",
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


@pytest.mark.parametrize("name", ["kafka", "valkey", "postgresql"])
async def test_an_engine_that_is_alive_and_does_not_answer_is_killed(
    tmp_path: Path, name: str
) -> None:
    environ = OUTSIDE | {"TEXTMANAGER_UNREACHABLE_SECONDS": "1"}
    options = Options(
        state_dir=tmp_path,
        services=(),
        database="postgresql" if name == "postgresql" else "sqlite",
    )
    async with Supervisor(options, environ) as system:
        await system.wait_ready()

        def pid() -> int | None:
            return next(one.pid for one in system.processes if one.name == name)

        stopped = pid()
        assert stopped is not None
        told = asyncio.create_task(_next(system, Change.UNREACHABLE))
        ended = asyncio.create_task(_next(system, Change.EXITED))
        await asyncio.sleep(0)
        os.kill(stopped, signal.SIGSTOP)
        for event in (await told, await ended):
            assert (event.name, event.pid) == (name, stopped)
        await eventually(lambda: pid() not in {None, stopped})
        await system.wait_ready()


async def _next(system: Supervisor, change: Change) -> ProcessEvent:
    async for event in system.events():
        if event.change is change:
            return event
    raise AssertionError


@pytest.mark.parametrize("given", ["0", "-1", "soon", "nan"])
async def test_a_patience_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    environ = OUTSIDE | {"TEXTMANAGER_UNREACHABLE_SECONDS": given}
    with pytest.raises(UserError, match="TEXTMANAGER_UNREACHABLE_SECONDS is a number above 0"):
        Supervisor(Options(state_dir=tmp_path, services=()), environ)


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
            assert len(pids) == 5
            began = time.monotonic()
            up.send_signal(signum)
            assert up.wait(LIMIT_SECONDS) == 0
            assert time.monotonic() - began < 10
        finally:
            up.kill()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_up_says_whom_it_kills_because_it_does_not_answer(tmp_path: Path) -> None:
    up = subprocess.Popen(
        [sys.executable, "-c", UP, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | OUTSIDE | {"TEXTMANAGER_UNREACHABLE_SECONDS": "1"},
    )
    assert up.stdout is not None
    with up, up.stdout:
        try:
            while "Ctrl-C stops everything" not in (line := up.stdout.readline()):
                assert line
            stopped = next(one.pid for one in runfile.read(tmp_path) if one.name == "valkey")
            assert stopped is not None
            os.kill(stopped, signal.SIGSTOP)
            while "valkey" not in (line := up.stdout.readline()):
                assert line
            assert line == "valkey is alive and does not answer: it is killed.\n"
            assert up.stdout.readline() == "valkey ended (exit code -9) and is started again.\n"
            up.send_signal(signal.SIGTERM)
            assert up.wait(LIMIT_SECONDS) == 0
        finally:
            up.kill()
