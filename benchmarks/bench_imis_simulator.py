"""How many activities a second the simulated iMIS takes, and what one costs the client.

Run: python benchmarks/bench_imis_simulator.py [seconds]
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from pydantic import SecretStr

from imis_client import Activity, ImisClient

IN_FLIGHT = (20, 50)
PREFIX = "/Asi.Scheduler_demo"


def sample(number: int) -> Activity:
    return Activity(
        party_id=str(100_001 + number % 1000),
        type="TEXTMSG",
        transaction_date=datetime.now(UTC),
        description="+12025550143",
        note="Hello Mary Smith, the chapter meets on Tuesday at 7. Reply STOP to opt out.",
    )


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(client: ImisClient, pid: int, in_flight: int, seconds: float) -> None:
    done = 0
    end = time.perf_counter() + seconds

    async def work() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await client.create_activity(sample(done))
            done += 1

    start, cpu, theirs = time.perf_counter(), time.process_time(), cpu_of(pid)
    await asyncio.gather(*(work() for _ in range(in_flight)))
    took = time.perf_counter() - start
    ours = (time.process_time() - cpu) / done * 1e6
    simulator = (cpu_of(pid) - theirs) / done * 1e6
    print(
        f"{in_flight} in flight: {done / took:,.0f} activities/s, "
        f"client {ours:.0f} µs CPU, simulator {simulator:.0f} µs CPU each"
    )


async def measure_pages(client: ImisClient) -> None:
    path = "$/Common/Queries/Text Manager/Members with mobile phones"
    offset, rows, more = 0, 0, True
    start, cpu = time.perf_counter(), time.process_time()
    while more:
        page = await client.rows(path, offset=offset)
        rows, offset, more = rows + len(page.rows), page.next_offset, page.has_next
    took, used = time.perf_counter() - start, time.process_time() - cpu
    print(f"{rows} rows: {rows / took:,.0f} rows/s, client {used / rows * 1e6:.1f} µs CPU each")


async def main() -> None:
    seconds = min(4.0, float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
    with tempfile.TemporaryDirectory() as state:
        simulator = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulators.imis", "--state", state, "--prefix", PREFIX),
            *("--recipients", "20000"),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert simulator.stdout is not None
            port = json.loads(await simulator.stdout.readline())["port"]
            url = f"http://127.0.0.1:{port}{PREFIX}"
            async with ImisClient(url, "textmanager", SecretStr("service-pass")) as client:
                await client.check_login()
                for in_flight in IN_FLIGHT:
                    await measure(client, simulator.pid, in_flight, seconds)
                await measure_pages(client)
        finally:
            simulator.terminate()
            await simulator.wait()


if __name__ == "__main__":
    uvloop.run(main())
