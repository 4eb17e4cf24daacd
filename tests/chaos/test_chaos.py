"""The short run: twenty kills in mid-campaign, faults outside, and the judge's verdict."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from textmanager import runfile

pytestmark = [pytest.mark.e2e, pytest.mark.engines, pytest.mark.xdist_group("e2e")]

SEED = int(os.environ.get("TEXTMANAGER_TEST_SEED") or time.time_ns() % 1_000_000)
KILLS = 20
MUST_BE_ZERO = (
    *("lost", "sent_twice", "wrong_text", "activities_missing", "activities_twice"),
    *("wrong_final_status", "unknown", "limit_exceeded_windows", "opted_out_late"),
    *("stops_unheard", "unfinished_runs", "dead_letters", "late_after_stop", "two_ends"),
    *("occurrences_missing", "occurrences_twice", "urgent_lost", "mails_missing", "mails_twice"),
)


def left_alive(folder: Path) -> list[str]:
    state = runfile.read(folder / "state")
    return [one.name for one in state if one.pid and psutil.pid_exists(one.pid)]


async def chaos(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos", "--keep", str(folder), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.timeout(240)
async def test_whatever_dies_each_text_goes_out_once_and_each_activity_is_written_once(
    tmp_path: Path,
) -> None:
    process = await chaos(
        tmp_path,
        "--seed",
        str(SEED),
        "--kills",
        str(KILLS),
        "--messages",
        "400",
        "--patience",
        "60",
    )
    out, err = await process.communicate()
    assert process.returncode == 0, f"seed {SEED}\n{err.decode()}\n{out.decode()}"
    said = json.loads(out.splitlines()[-1])
    assert {name: said[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    assert sum(said["kills"].values()) == KILLS
    assert said["messages"] >= said["accepted"] > 0
    assert 0 < said["recovery_seconds_p50"] <= said["recovery_seconds_max"]
    assert left_alive(tmp_path) == []


@pytest.mark.timeout(90)
async def test_ctrl_c_leaves_no_process_behind(tmp_path: Path) -> None:
    process = await chaos(tmp_path, "--kills", "50", "--messages", "400", "--faults", "none")
    assert process.stderr is not None
    while b"kill" not in (line := await process.stderr.readline()):
        assert line, "it ended before it had begun"
    process.send_signal(signal.SIGINT)
    out, _ = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert left_alive(tmp_path) == []


async def test_a_fault_that_does_not_exist_is_told_in_a_sentence(tmp_path: Path) -> None:
    process = await chaos(tmp_path / "new", "--faults", "thunder")
    out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert "no fault 'thunder'" in err.decode()
    assert "Traceback" not in err.decode()
