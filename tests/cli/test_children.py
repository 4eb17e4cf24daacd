"""Processes are kept, listed, and gone when told to stop."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from textmanager import runfile
from textmanager.child import Backoff, Change, Patience, ProcessEvent, Spec
from textmanager.children import Children
from textmanager.engines.ports import free_port
from textmanager.errors import UserError
from textmanager.processes import Command, spawn
from textmanager.supervised import watched

LIMIT_SECONDS = 20.0
FOREVER = "import signal; print('up', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\n"
STUBBORN += "while True: signal.pause()"
DYING = "import sys; print('bad luck'); sys.exit(3)"
SERVING = """
import http.server
print("up", flush=True)
http.server.HTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
PATIENCE = Patience(seconds=0.5, starting_seconds=2.0, poll_seconds=0.05, answer_seconds=0.3)
PARENT = """
import signal, subprocess, sys
grandchild = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(grandchild.pid, flush=True)
signal.pause()
"""


class QuickBackoff(Backoff):
    def __init__(self) -> None:
        super().__init__(first_seconds=0.01, longest_seconds=0.04)


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def spec(
    tmp_path: Path, name: str, code: str, *, is_ready: Callable[[], Awaitable[bool]] | None = None
) -> Spec:
    log = tmp_path / "logs" / f"{name}.log"

    async def has_spoken() -> bool:
        return log.exists() and log.read_text() != ""

    command = Command((sys.executable, "-c", textwrap.dedent(code)), log)
    return Spec(name, "service", command, 1234, "http://127.0.0.1:1234", is_ready or has_spoken)


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    kept = Children(tmp_path, backoff=QuickBackoff)
    try:
        yield kept
    finally:
        await kept.stop([one.name for one in kept.list()], grace_seconds=0.1)


async def test_what_cannot_be_started_is_tried_again(children: Children, tmp_path: Path) -> None:
    in_the_way = tmp_path / "logs"
    in_the_way.touch()
    children.start([spec(tmp_path, "sender-1", FOREVER)])
    await eventually(lambda: children["sender"].restarts >= 2)
    in_the_way.unlink()
    await eventually(lambda: children["sender"].pid is not None)


async def test_a_list_that_cannot_be_written_follows_later(
    children: Children, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "run.json"
    in_the_way.mkdir()
    children.start([spec(tmp_path, "sender-1", FOREVER)])
    await eventually(lambda: children["sender"].pid is not None)
    in_the_way.rmdir()
    await eventually(in_the_way.exists)
    assert [one.pid for one in runfile.read(tmp_path)] == [children["sender"].pid]


async def test_a_killed_process_comes_back(children: Children, tmp_path: Path) -> None:
    children.start([spec(tmp_path, "sender-1", FOREVER)])
    await children.wait_ready(["sender-1"], timeout_seconds=LIMIT_SECONDS)
    first = children["sender-1"].kill()
    await eventually(lambda: children["sender"].pid not in {None, first})
    listed = runfile.read(tmp_path)[0]
    assert (listed.name, listed.pid, listed.restarts) == ("sender-1", children["sender"].pid, 1)


async def test_events_tell_of_each_life(children: Children, tmp_path: Path) -> None:
    seen = []
    events = children.events()
    following = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    children.start([spec(tmp_path, "one", DYING)])
    async with asyncio.timeout(LIMIT_SECONDS):
        seen.append(await following)
        while len(seen) < 4:
            seen.append(await anext(events))
    await events.aclose()  # type: ignore[attr-defined]
    assert [event.change for event in seen] == [Change.STARTED, Change.EXITED] * 2
    assert [event.code for event in seen] == [None, 3, None, 3]


async def test_a_process_that_keeps_dying_is_told_of(children: Children, tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    children.start([spec(tmp_path, "doomed", DYING, is_ready=never)])
    with pytest.raises(UserError, match=r"doomed keeps ending .*doomed\.log .*bad luck"):
        await children.wait_ready(["doomed"], timeout_seconds=LIMIT_SECONDS)


async def test_a_process_that_was_ready_each_time_may_be_killed_often(
    children: Children, tmp_path: Path
) -> None:
    children.start([spec(tmp_path, "sender-1", FOREVER)])
    log = tmp_path / "logs" / "sender-1.log"
    for _ in range(6):
        await children.wait_ready(["sender-1"], timeout_seconds=LIMIT_SECONDS)
        log.unlink()
        children["sender"].kill()
        await eventually(log.exists)
    await children.wait_ready(["sender-1"], timeout_seconds=LIMIT_SECONDS)


async def test_kills_of_ours_while_it_starts_do_not_make_it_hopeless(
    children: Children, tmp_path: Path
) -> None:
    lives = 0

    async def ready() -> bool:
        return lives > 6

    children.start([spec(tmp_path, "sender-1", FOREVER, is_ready=ready)])
    waiting = asyncio.create_task(children.wait_ready(["sender-1"], timeout_seconds=LIMIT_SECONDS))
    async for event in children.events():
        if event.change is Change.STARTED:
            lives += 1
            if await ready():
                break
            children["sender"].kill()
    await waiting


async def test_a_process_that_ended_often_and_was_ready_in_between_is_waited_for(
    children: Children, tmp_path: Path
) -> None:
    async def ready() -> bool:
        return children["moody"].pid is not None

    children.start([spec(tmp_path, "moody", "import time; time.sleep(0.2)", is_ready=ready)])
    while children["moody"].restarts < 6:
        await children.wait_ready(["moody"], timeout_seconds=LIMIT_SECONDS)
        await asyncio.sleep(0.01)


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[Children]:
    kept = Children(tmp_path, backoff=QuickBackoff, patience=PATIENCE)
    try:
        yield kept
    finally:
        await kept.stop([one.name for one in kept.list()], grace_seconds=0.1)


def serving(tmp_path: Path, code: str) -> Spec:
    port = free_port()
    log = tmp_path / "logs" / "sender-1.log"
    command = Command((sys.executable, "-c", code.format(port=port)), log)
    url = f"http://127.0.0.1:{port}"

    async def never() -> bool:
        return False

    return watched(Spec("sender-1", "service", command, port, url, never))


async def until(children: Children, change: Change) -> ProcessEvent:
    async for event in children.events():
        if event.change is change:
            return event
    raise AssertionError


async def test_a_process_that_is_alive_and_does_not_answer_is_killed_and_told_of(
    impatient: Children, tmp_path: Path
) -> None:
    spec = serving(tmp_path, SERVING)
    assert spec.answers is not None
    impatient.start([spec])
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await spec.answers():
            await asyncio.sleep(0.01)
        paused = impatient["sender"].pid
        assert paused is not None
        seen = asyncio.create_task(until(impatient, Change.UNREACHABLE))
        ended = asyncio.create_task(until(impatient, Change.EXITED))
        os.kill(paused, signal.SIGSTOP)
        assert (await seen).pid == paused
        assert (await ended).code == -signal.SIGKILL
        while impatient["sender"].pid in {None, paused} or not await spec.answers():
            await asyncio.sleep(0.01)
    assert gone(paused)


async def test_a_process_that_hangs_before_it_ever_answers_is_killed_too(
    impatient: Children, tmp_path: Path
) -> None:
    impatient.start([serving(tmp_path, FOREVER)])
    began = time.monotonic()
    async with asyncio.timeout(LIMIT_SECONDS):
        await until(impatient, Change.UNREACHABLE)
    assert time.monotonic() - began > PATIENCE.starting_seconds / 2


async def test_a_supervisor_that_was_held_up_blames_nobody(
    impatient: Children, tmp_path: Path
) -> None:
    spec = serving(tmp_path, SERVING)
    assert spec.answers is not None
    impatient.start([spec])
    async with asyncio.timeout(LIMIT_SECONDS):
        while not await spec.answers():
            await asyncio.sleep(0.01)
    pid = impatient["sender"].pid
    for _ in range(5):
        # Whatever question is under way has been without an answer for too long after this.
        time.sleep(PATIENCE.seconds * 1.5)  # noqa: ASYNC251 - to hold up all is what is wanted
        assert await spec.answers()
    assert impatient["sender"].pid == pid


async def test_run_json_says_what_runs_where(children: Children, tmp_path: Path) -> None:
    children.start([spec(tmp_path, name, FOREVER) for name in ("one", "two")])
    await children.wait_ready(["one", "two"], timeout_seconds=LIMIT_SECONDS)
    listed = runfile.read(tmp_path)
    assert [one.name for one in listed] == ["one", "two"]
    assert [one.pid for one in listed] == [children["one"].pid, children["two"].pid]
    assert all(psutil.Process(one.pid).create_time() == one.started for one in listed)
    assert [one.log for one in listed] == [
        str(tmp_path / "logs" / f"{n}.log") for n in ("one", "two")
    ]
    await children.stop(["one", "two"], grace_seconds=5)
    assert [one.pid for one in runfile.read(tmp_path)] == [None, None]


async def test_stop_leaves_neither_a_deaf_process_nor_a_grandchild(
    children: Children, tmp_path: Path
) -> None:
    children.start([spec(tmp_path, "deaf", STUBBORN), spec(tmp_path, "parent", PARENT)])
    await children.wait_ready(["deaf", "parent"], timeout_seconds=LIMIT_SECONDS)
    pids = [one.pid for one in children.list()]
    pids.append(int((tmp_path / "logs" / "parent.log").read_text()))
    began = asyncio.get_running_loop().time()
    await children.stop(["deaf", "parent"], grace_seconds=0.3)
    assert asyncio.get_running_loop().time() - began < 5
    await eventually(lambda: all(pid is not None and gone(pid) for pid in pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
async def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    code = f"""
    import signal, sys
    from pathlib import Path
    from textmanager.processes import Command, spawn
    child = spawn(Command((sys.executable, "-c", {FOREVER!r}), Path({str(tmp_path / "c.log")!r})))
    print(child.pid, flush=True)
    signal.pause()
    """
    log = tmp_path / "parent.log"
    parent = spawn(Command((sys.executable, "-c", textwrap.dedent(code)), log))
    try:
        await eventually(lambda: log.exists() and log.read_text().strip().isdecimal())
        child = int(log.read_text())
        assert not gone(child)
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    await eventually(lambda: gone(child))


def test_what_a_killed_run_left_behind_is_ended(tmp_path: Path) -> None:
    process = spawn(Command((sys.executable, "-c", FOREVER), tmp_path / "left.log"))
    stranger = spawn(Command((sys.executable, "-c", FOREVER), tmp_path / "stranger.log"))
    try:
        left = runfile.Running(
            "left", "service", process.pid, 1, "", 0, "", runfile.start_time(process.pid)
        )
        # Has a pid of that run, but is another process: it was started at another time.
        reused = runfile.Running("reused", "service", stranger.pid, 1, "", 0, "", 1.0)
        runfile.write(tmp_path, [left, reused])
        runfile.end_leftovers(tmp_path)
        assert gone(process.pid)
        assert not gone(stranger.pid)
    finally:
        for one in (process, stranger):
            one.kill()
            one.wait()


def test_waits_double_up_to_a_limit_and_start_anew_after_health() -> None:
    backoff = Backoff()
    waits = [backoff.after(lifetime_seconds=1) for _ in range(8)]
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.after(lifetime_seconds=30) == 0.2
    assert backoff.after(lifetime_seconds=1) == 0.4


def test_a_second_run_on_the_same_state_is_refused(tmp_path: Path) -> None:
    assert not runfile.is_up(tmp_path)
    with runfile.UpLock(tmp_path):
        assert runfile.is_up(tmp_path)
        with (
            pytest.raises(UserError, match=rf"already runs on .* \(pid {os.getpid()}\)"),
            runfile.UpLock(tmp_path),
        ):
            pass
    assert not runfile.is_up(tmp_path)
