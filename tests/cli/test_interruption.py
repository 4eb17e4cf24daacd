"""Ctrl-C and SIGTERM end a command in whatever phase it is, and leave nothing behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from textmanager.errors import INTERRUPTED, UserError
from textmanager.interruption import run_until_signal

LIMIT_SECONDS = 20.0


def console() -> Console:
    return Console(file=StringIO())


def test_work_that_ends_by_itself_has_its_own_code() -> None:
    async def work() -> int:
        return 7

    assert run_until_signal(work(), console(), stopped=INTERRUPTED) == 7


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_the_work_clean_up_in_peace(signum: signal.Signals) -> None:
    cleaned = []

    async def work() -> int:
        try:
            os.kill(os.getpid(), signum)
            await asyncio.sleep(LIMIT_SECONDS)
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)
        return 0

    assert run_until_signal(work(), console(), stopped=INTERRUPTED) == INTERRUPTED
    assert cleaned == [True]


def test_what_fails_because_it_is_being_stopped_is_not_told() -> None:
    async def failing(*, told_to_stop: bool) -> int:
        try:
            if told_to_stop:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.sleep(LIMIT_SECONDS)
        finally:
            raise UserError("a child ended")

    assert run_until_signal(failing(told_to_stop=True), console(), stopped=0) == 0
    with pytest.raises(UserError, match="a child ended"):
        run_until_signal(failing(told_to_stop=False), console(), stopped=0)


@pytest.fixture
def silent_mirror() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(("command", "code"), [("up", 0), ("demo", INTERRUPTED)])
def test_a_download_that_hangs_holds_nobody_up(
    tmp_path: Path, silent_mirror: str, command: str, code: int
) -> None:
    environ = os.environ | {
        "TEXTMANAGER_CACHE": str(tmp_path / "cache"),
        "TEXTMANAGER_MAVEN_URL": silent_mirror,
    }
    argv = [sys.executable, "-m", "textmanager", command, "--state", str(tmp_path / "state")]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, env=environ, text=True) as process:
        try:
            deadline = time.monotonic() + LIMIT_SECONDS
            while not list((tmp_path / "cache").glob("kafka/*/download-*")):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.wait(LIMIT_SECONDS) == code
            assert time.monotonic() - began < 10
        finally:
            process.kill()
        assert process.stderr is not None
        assert process.stderr.read() == ""
