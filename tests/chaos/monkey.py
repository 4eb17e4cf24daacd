"""Does to a running system what the plan says, and keeps book of it."""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, assert_never

from tests.chaos.orders import CancelNewest, HoldBack, SendUrgent
from tests.chaos.plan import PAGING, Action, Fault, Kill, KillTwice, Pause, Stop, Weather
from tests.chaos.staff import Staff
from tests.chaos.world import World

from textmanager.probe import fetch
from textmanager.runfile import start_time
from textmanager.seed import TOLL_FREE_NUMBER
from textmanager.supervisor import Supervisor

POLL_SECONDS = 0.03
# How long a process that was killed may take to be started again, and a stop to be delivered.
BIRTH_SECONDS = 25.0
INBOUND_SECONDS = 30.0


@dataclass(slots=True)
class Monkey:
    """Kills as a crash would; pauses; changes the weather; lets members and staff do things."""

    system: Supervisor
    world: World
    staff: Staff
    say: Callable[[str], None]
    members: list[str] = field(default_factory=list)
    """The numbers of which some will text a stop."""
    kills: Counter[str] = field(default_factory=Counter)
    pauses: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    _killed: dict[str, int] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def do(self, action: Action) -> None:
        """Do it; what takes its time goes on meanwhile."""
        match action:
            case Kill(names):
                self.say(f"kill {' and '.join(names)}")
                await self._kill(*names)
            case KillTwice(name):
                self.say(f"kill {name}, and again while it starts")
                await self._kill(name)
                await self._kill(name)
            case Pause(name, seconds):
                self.say(f"pause {name} for {seconds} s")
                self._begin(self._pause(name, seconds))
            case Weather(faults):
                self.say("faults: " + (", ".join(map(_shown, faults)) or "none"))
                self.change_weather(faults)
            case Stop(word, draw):
                self.say(f"{len(draw)} members text {word}")
                for number in draw:
                    self._begin(self._stop(word, number))
            case HoldBack() | CancelNewest() | SendUrgent():
                self._begin(self.staff.carry_out(action))
            case _:
                assert_never(action)

    def change_weather(self, faults: tuple[Fault, ...]) -> None:
        """Let these go wrong outside, and nothing else."""
        self.world.calm()
        for fault in faults:
            where, _, name = fault.name.partition(":")
            plan = self.world.twilio.faults if where == "twilio" else self.world.imis.faults
            plan.add(name, chance=fault.chance, times=fault.times, params=fault.params)

    def move_rows(self, chance: random.Random) -> None:
        """Let the rows of the next query that is paged move once, while it is read."""
        by = chance.choice((-3, -1, 2, 5))
        self.say(f"rows move by {by}")
        self.world.imis.faults.add(
            PAGING.partition(":")[2], times=1, match={"offset": "[1-9]*"}, params={"by": by}
        )

    async def all_back(self, *, within_seconds: float) -> None:
        """Return once all that was hurt is ready again, and all stops are texted."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within_seconds)
        await self.system.wait_ready(within_seconds)

    async def end(self) -> None:
        """Leave nothing paused or half done."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kill(self, *names: str) -> None:
        """Kill these at the same moment, as soon as all of them live."""
        pids = [await self._alive(name) for name in names]
        for name, pid in zip(names, pids, strict=True):
            self.system.kill(name)
            self.kills[name] += 1
            self._killed[name] = pid
            self._begin(self._recover(name, pid))

    async def _alive(self, name: str) -> int:
        """Return its pid once it has another than that which was killed last."""
        deadline = time.monotonic() + BIRTH_SECONDS
        while (pid := self._pid(name)) is None or pid == self._killed.get(name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} is not started again")
            await asyncio.sleep(POLL_SECONDS)
        return pid

    async def _recover(self, name: str, killed: int) -> None:
        """Measure how long it takes to be ready again, however often it is hurt meanwhile."""
        began = time.monotonic()
        while self._pid(name) in {None, killed} or not await self.system.is_ready(name):
            await asyncio.sleep(POLL_SECONDS)
        self.recoveries.append(round(time.monotonic() - began, 2))

    async def _pause(self, name: str, seconds: float) -> None:
        pid = await self._alive(name)
        if (born := start_time(pid)) is None:
            return
        self.pauses[name] += 1
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            # The supervisor may have ended it, and the pid may be another process's by now.
            if start_time(pid) == born:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    async def _stop(self, word: str, draw: float) -> None:
        person = self.members[int(draw * len(self.members))]
        fields = {"from": person, "to": TOLL_FREE_NUMBER, "body": word}
        with suppress(OSError):
            await fetch(
                "POST",
                f"{self.world.twilio_url}/_sim/inbound",
                body=json.dumps(fields),
                timeout_seconds=INBOUND_SECONDS,
            )

    def _pid(self, name: str) -> int | None:
        return next(one.pid for one in self.system.processes if one.name == name)


def _shown(fault: Fault) -> str:
    return f"{fault.name} {fault.chance:.0%} at most {fault.times} times"
