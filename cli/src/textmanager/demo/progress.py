"""Watches a run through the REST API until every part of the system is done with it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from textmanager.demo.api import Gateway
from textmanager.demo.outside import Outside
from textmanager.errors import UserError

EVERY_SECONDS = 0.25
STILL_SECONDS = 90.0
QUIET_SECONDS = 2.0
ON_THE_WAY = ("preparing", "sent")
LEFT_OUT = ("excluded",)


class _Bar(Progress):
    """A bar with the counts on a line of their own, as both together need 120 columns."""

    words = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        """Show the bar, and what it is made of."""
        yield from super().get_renderables()
        yield Text(self.words)


class Watch:
    """The live view of one run."""

    def __init__(self, gateway: Gateway, outside: Outside, run_id: str, console: Console) -> None:
        self._gateway = gateway
        self._outside = outside
        self._run_id = run_id
        self._console = console
        self._began = time.monotonic()
        self._written = 0
        self._written_at = self._began

    async def until_over(self) -> dict[str, Any]:
        """Return the run when each text has its last status and each activity is written.

        Raises UserError when nothing moves any more.
        """
        last: tuple[object, ...] = ()
        moved = time.monotonic()
        with self._bar() as (bar, task):
            while True:
                run = await self._gateway.get(f"/v1/runs/{self._run_id}")
                written = await self._outside.activities_created()
                over = self._show(bar, task, run, written)
                if over or run["state"] == "failed":
                    return run
                now = (run["state"], run["by_status"], written)
                if now != last:
                    last, moved = now, time.monotonic()
                elif time.monotonic() - moved > STILL_SECONDS:
                    raise UserError(
                        f"Nothing has moved for {STILL_SECONDS:.0f} s: the logs of the services "
                        f"say why. The run was {run['state']}, {run['by_status']}."
                    )
                await asyncio.sleep(EVERY_SECONDS)

    @contextmanager
    def _bar(self) -> Iterator[tuple["_Bar", TaskID]]:
        columns = (
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
        )
        with _Bar(*columns, console=self._console) as bar:
            yield bar, bar.add_task("resolving the audience", total=None)

    def _show(self, bar: "_Bar", task: TaskID, run: dict[str, Any], written: int) -> bool:
        counts = {name: n for name, n in run["by_status"].items() if n and name not in LEFT_OUT}
        on_the_way = sum(counts.get(name, 0) for name in ON_THE_WAY)
        # Rows that never became a text have an outcome too, and are none of the messages.
        never = run["rejected"] + run["excluded"]
        tried = max(
            0, sum(run["by_status"].values()) - run["by_status"].get("preparing", 0) - never
        )
        rate = tried / max(0.001, time.monotonic() - self._began)
        words = "  ".join(f"{name} {n}" for name, n in sorted(counts.items()))
        bar.words = f"{words}  activities {written}"
        bar.update(
            task,
            total=run["messages"] or None,
            completed=tried,
            description=f"{rate:.0f} texts/s",
        )
        sent = counts.get("delivered", 0) + counts.get("undelivered", 0) + counts.get("failed", 0)
        if run["state"] != "completed" or on_the_way:
            return False
        # A text that failed before it counted as sent has no activity: then there are fewer.
        if written != self._written:
            self._written, self._written_at = written, time.monotonic()
        return written >= sent or time.monotonic() - self._written_at > QUIET_SECONDS
