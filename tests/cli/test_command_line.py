"""The command line: light for a service, and one sentence for what the user can put right."""

import subprocess
import sys
from pathlib import Path

import pytest

from textmanager.lag import from_metrics
from textmanager.seed import demo_organization
from textmanager.services import SERVICES


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
        (("status",), "Text Manager does not run on"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in one_sentence(run(*arguments, "--state", str(tmp_path)))


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


def test_the_demo_organisation_has_a_verified_toll_free_number() -> None:
    body = demo_organization(imis_url="http://127.0.0.1:1", segments_per_second=5)
    [number] = body["numbers"]
    assert number == {
        "number": "+18885550100",
        "segments_per_second": 5,
        "verification": "verified",
    }
