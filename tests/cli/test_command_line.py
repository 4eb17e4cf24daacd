"""The command line: light for a service, and one sentence for what the user can put right."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from textmanager.errors import of_the_disk
from textmanager.lag import from_kafka, from_metrics
from textmanager.seed import demo_organization
from textmanager.services import SERVICES

MESSAGE = "01a20174-5d5b-7b3b-97cb-10b649edb543"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "textmanager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr


def test_an_unknown_service_is_told_with_the_known_ones() -> None:
    told = one_sentence(run("run", "sendr"))
    assert all(name in told for name in SERVICES)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("up", "--services", "nobody"), "There is no service 'nobody'"),
        (("up", "--replicas", "sender=many"), "--replicas takes NAME=NUMBER"),
        (("up", "--services", ","), "--services takes names with commas in between"),
        (("up", "--port", "gateway=0"), "Port 0, asked for gateway-1, does not exist"),
        (("status",), "Text Manager does not run on"),
        (("audit", "message", "garbage"), "'garbage' is no message id: it is a UUID"),
        (("audit", "message", MESSAGE), "Nothing runs on"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in one_sentence(run(*arguments, "--state", str(tmp_path)))


@pytest.mark.parametrize("command", ["up", "demo", "status"])
def test_a_state_directory_that_is_a_file_is_one_sentence(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in one_sentence(run(command, "--state", str(tmp_path / "file")))


def test_a_kafka_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMANAGER_KAFKA_URL", "127.0.0.1:1")
    told = one_sentence(run("audit", "message", MESSAGE))
    assert "Kafka at 127.0.0.1:1 does not answer: start the system" in told
    created = run("topics", "create")
    assert "Kafka at 127.0.0.1:1 does not answer (" in one_sentence(created)


@pytest.mark.parametrize("rate", ["0", "nan", "inf"])
def test_a_rate_that_cannot_be_is_told_before_anything_starts(rate: str) -> None:
    done = run("demo", "--rate", rate)
    assert done.returncode == 2
    assert "Invalid value for '--rate'" in done.stderr
    assert done.stdout == ""


def test_what_the_disk_is_to_blame_for_is_told() -> None:
    full = of_the_disk(OSError(errno.ENOSPC, "No space left on device", "/some/file"))
    assert "/some/file can't be written (No space left on device): free some" in str(full)
    closed = of_the_disk(PermissionError(errno.EACCES, "Permission denied", "/some/file"))
    assert "name a directory that you may write to" in str(closed)
    assert of_the_disk(ConnectionRefusedError(errno.ECONNREFUSED, "refused")) is None


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import shutil, sys; shutil.disk_usage = lambda _: shutil._ntuple_diskusage(9, 9, 7);"
        f"sys.argv = ['textmanager', 'up', '--state', {str(tmp_path)!r}];"
        "from textmanager.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "has only 0 MB free, and 500 MB are needed: free some space" in one_sentence(done)


def test_running_a_service_loads_nothing_of_the_command_line() -> None:
    code = (
        "import sys; sys.argv = ['textmanager', 'run', 'nobody']\n"
        "from textmanager.__main__ import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'typer', 'rich', 'aiokafka', 'textmanager.supervisor', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lag_is_the_sum_of_a_service_s_gauges() -> None:
    text = (
        "# TYPE textmanager_consumer_lag gauge\n"
        'textmanager_consumer_lag{subscription="a",topic="t"} 3.0\n'
        'textmanager_consumer_lag{subscription="b",topic="t"} 4.0\n'
        "textmanager_consumer_lag_of_another_kind 9\n"
    )
    assert from_metrics(text) == 7
    assert from_metrics("up 1\n") is None


async def test_there_is_no_lag_to_tell_while_kafka_is_away() -> None:
    assert await from_kafka("127.0.0.1:1") == {}


def test_the_demo_organisation_has_a_verified_toll_free_number() -> None:
    body = demo_organization(imis_url="http://127.0.0.1:1", segments_per_second=5)
    [number] = body["numbers"]
    assert number == {
        "number": "+18885550100",
        "segments_per_second": 5,
        "verification": "verified",
    }
