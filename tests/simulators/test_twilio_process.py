"""The simulated Twilio as a process: what it took survives kill -9, and it goes on after."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import orjson
import pytest
from pyreqwest.exceptions import PyreqwestError
from tests.simulators.twilio_site import ACCOUNT, FROM, TO, TOKEN, Api, api, customer, until

from simulators.shared import Record


@asynccontextmanager
async def process(state: Path, *flags: str) -> AsyncIterator[tuple[Process, Api]]:
    port_file = state / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "simulators.twilio", "--state", str(state)]
    account = ["--account", f"{ACCOUNT}:{TOKEN}", "--port-file", str(port_file)]
    running = await asyncio.create_subprocess_exec(*command, *account, *flags, stdout=DEVNULL)
    try:
        await until(port_file.exists)
        async with api(f"http://127.0.0.1:{int(port_file.read_text())}") as twilio:
            yield running, twilio
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


def lines(path: Path) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


async def test_each_answered_text_survives_kill_9(tmp_path: Path) -> None:
    async with process(tmp_path) as (running, twilio):
        sids = [(await twilio.send(f"+1202555{n:04d}")).body["sid"] for n in range(100, 120)]
        await twilio.control("inbound", **{"from": TO, "to": FROM, "body": "STOP"})
        running.send_signal(signal.SIGKILL)
        await running.wait()
    assert [line["sid"] for line in lines(tmp_path / "messages.jsonl")] == sids
    async with process(tmp_path) as (_, twilio):
        assert [m["sid"] for m in (await twilio.get("/_sim/messages")).body] == sids
        listed = await twilio.messages(To="+12025550110")
        assert [m["sid"] for m in listed["messages"]] == [sids[10]]
        assert (await twilio.send()).body["code"] == 21610
        [stop] = (await twilio.messages(To=FROM, From=TO))["messages"]
        assert (stop["body"], stop["direction"]) == ("STOP", "inbound")
        await twilio.send("+12025550100")
    assert [line["n"] for line in lines(tmp_path / "messages.jsonl")] == list(range(1, 22))


async def test_callbacks_go_on_after_kill_9(tmp_path: Path) -> None:
    async with customer() as site:
        async with process(tmp_path, "--final-after-ms", "60000") as (running, twilio):
            for number in range(100, 110):
                await twilio.send(f"+1202555{number:04d}", callback=site.url + "/")
            await until(lambda: site.statuses() == ["sent"] * 10)
            running.send_signal(signal.SIGKILL)
            await running.wait()
        async with process(tmp_path, "--final-after-ms", "1"):
            await until(lambda: site.statuses().count("delivered") == 10)


@pytest.mark.parametrize("fault", ["500_after", "drop_after", "half_answer"])
async def test_a_text_under_a_fault_is_one_line(tmp_path: Path, fault: str) -> None:
    async with process(tmp_path) as (_, twilio):
        await twilio.control("faults", name=fault, times=1)
        with suppress(PyreqwestError):
            assert (await twilio.send()).status == 500
    assert len(lines(tmp_path / "messages.jsonl")) == 1


async def test_sigterm_ends_it_with_a_request_in_flight(tmp_path: Path) -> None:
    async with process(tmp_path) as (running, twilio):
        await twilio.control("faults", name="timeout_after")
        sending = asyncio.create_task(twilio.send())
        await until(lambda: bool((tmp_path / "messages.jsonl").read_bytes()))
        running.terminate()
        await asyncio.wait_for(running.wait(), 10)
        await asyncio.gather(sending, return_exceptions=True)


def test_a_torn_last_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with Record(path) as record:
        offset = record.append({"n": 1, "text": "x" * 5000})
        record.append_all([{"n": 2}, {"n": 3}])
        assert record.entry_at(offset)["n"] == 1
    with path.open("ab") as torn:
        torn.write(b'{"n": 4, "half')
    with Record(path) as record:
        record.append({"n": 5})
        assert [entry["n"] for entry in record.entries()] == [1, 2, 3, 5]
