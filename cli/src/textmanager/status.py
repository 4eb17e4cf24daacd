"""`textmanager status`: each process of an `up`, its health, its lag and its dead letters."""

import asyncio
import json
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table

from textmanager import runfile
from textmanager.dlq_desk import Desk
from textmanager.errors import UserError
from textmanager.lag import from_kafka, from_metrics
from textmanager.probe import fetch
from textmanager.runfile import Running
from textmanager.supervised import listens

Health = Literal["ready", "not ready", "no answer", "down"]
TABLE_WIDTH = 110
COLOURS: dict[Health, str] = {
    "ready": "green",
    "not ready": "yellow",
    "no answer": "red",
    "down": "red",
}


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """A process as it is now; `lag` is None where it consumes nothing or does not say."""

    process: Running
    health: Health
    lag: int | None
    dead_letters: int | None = None
    """How many of its service nobody has decided on; told once for all replicas."""


def run(state_dir: Path, *, as_json: bool) -> int:
    """Print the state of each process; 0 only when all are ready."""
    if not runfile.is_up(state_dir):
        raise UserError(
            f"Text Manager does not run on {state_dir}: start it with `textmanager up`, or name "
            "its directory with --state."
        )
    found = asyncio.run(statuses(state_dir))
    if as_json:
        sys.stdout.write(json.dumps([_as_dict(one) for one in found]) + "\n")
    else:
        # As wide as it is: a pid or an address that is cut off is of no use.
        Console(width=max(Console().width, TABLE_WIDTH)).print(_table(found))
        if letters := sum(one.dead_letters or 0 for one in found):
            sys.stdout.write(
                f"{letters} events could not be handled and wait for a decision: "
                "`textmanager dlq list` shows them.\n"
            )
    return 0 if found and all(one.health == "ready" for one in found) else 1


async def statuses(state_dir: Path) -> list[ProcessStatus]:
    """Every process of the state directory's `up`, asked at once."""
    running = runfile.read(state_dir)
    found = await asyncio.gather(*(_status(process) for process in running))
    kafka = next((process.url for process in running if process.name == "kafka"), None)
    if kafka is None:
        kafka = os.environ.get("TEXTMANAGER_KAFKA_URL")
    if kafka is not None:
        found = _with_letters(found, await _open_letters(kafka))
    silent = any(one.process.kind == "service" and one.lag is None for one in found)
    if kafka is None or not silent:
        return found
    lags = await from_kafka(kafka)
    return [replace(one, lag=_fallback(one, lags)) for one in found]


async def _open_letters(kafka: str) -> Counter[str] | None:
    """How many letters of each service are open; None while Kafka doesn't tell."""
    desk = Desk(kafka, prefix=os.environ.get("TEXTMANAGER_TOPIC_PREFIX", ""))
    try:
        return Counter(each.service for each in await desk.letters() if each.state == "open")
    except UserError:
        return None


def _with_letters(found: list[ProcessStatus], letters: Counter[str] | None) -> list[ProcessStatus]:
    if letters is None:
        return found
    return [
        replace(one, dead_letters=letters[one.process.name.removesuffix("-1")])
        if one.process.kind == "service" and one.process.name.endswith("-1")
        else one
        for one in found
    ]


def _fallback(one: ProcessStatus, lags: dict[str, int]) -> int | None:
    """The lag of the service's consumer groups when its own metrics do not tell.

    Replicas share their groups, so it is told for the first one only.
    """
    if one.lag is not None or one.process.kind != "service":
        return one.lag
    service, _, number = one.process.name.rpartition("-")
    mine = [lag for group, lag in lags.items() if group.startswith(service)]
    return sum(mine) if mine and number == "1" else None


async def _status(process: Running) -> ProcessStatus:
    if process.pid is None:
        return ProcessStatus(process, "down", None)
    if process.kind != "service":
        return ProcessStatus(process, "ready" if await listens(process.port) else "no answer", None)
    try:
        ready = await fetch("GET", f"{process.url}/readyz")
        metrics = await fetch("GET", f"{process.url}/metrics")
    except OSError:
        return ProcessStatus(process, "no answer", None)
    lag = from_metrics(metrics.body) if metrics.status == 200 else None
    return ProcessStatus(process, "ready" if ready.status == 200 else "not ready", lag)


def _as_dict(one: ProcessStatus) -> dict[str, object]:
    return {**asdict(one.process), "health": one.health, "lag": one.lag} | {
        "dead_letters": one.dead_letters
    }


def _table(found: list[ProcessStatus]) -> Table:
    table = Table("process", "health", "lag", "dead", "pid", "restarts", "address", box=box.SIMPLE)
    for column in table.columns:
        column.no_wrap = True
    for one in found:
        process = one.process
        table.add_row(
            process.name,
            f"[{COLOURS[one.health]}]{one.health}[/]",
            "" if one.lag is None else str(one.lag),
            str(one.dead_letters or ""),
            "" if process.pid is None else str(process.pid),
            str(process.restarts),
            process.url,
        )
    return table
