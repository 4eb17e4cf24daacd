"""The simulated iMIS as a process of its own: what it answered stays."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.simulators.imis_site import activity, signed_in


@asynccontextmanager
async def process(state: Path) -> AsyncIterator[tuple[Process, str]]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulators.imis", "--state", str(state), "--recipients", "10"),
        *("--prefix", "/Asi.Scheduler_demo", "--port-file", str(state / "port")),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        ready = json.loads(await child.stdout.readline())
        assert (state / "port").read_text().strip() == str(ready["port"])
        yield child, f"http://127.0.0.1:{ready['port']}"
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def test_what_was_answered_outlives_kill_9(tmp_path: Path) -> None:
    async with process(tmp_path) as (child, url), signed_in(url + "/Asi.Scheduler_demo") as caller:
        for number in range(30):
            status, _ = await caller.ask("POST", "/api/Activity", activity(note=str(number)))
            assert status == 201
        assert (await caller.ask("DELETE", "/api/Activity/7"))[0] == 200
        old_token = caller.token
        os.kill(child.pid, signal.SIGKILL)
        await child.wait()
    async with process(tmp_path) as (_, url), signed_in(url + "/Asi.Scheduler_demo") as caller:
        caller.token = old_token
        _, created = await caller.ask("POST", "/api/Activity", activity())
        assert created["Identity"]["IdentityElements"]["$values"] == ["31"]
        caller.url = url
        _, seen = await caller.ask("GET", "/_sim/activities")
        assert [a["seqn"] for a in seen["activities"]] == [n for n in range(1, 32) if n != 7]
        assert seen["deleted"] == [7]
        assert (await caller.ask("GET", "/_sim/stats"))[1]["activities_created"] == 31
