"""`textmanager projections rebuild`: new read models from the log, and how they differ."""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import is_database_outage
from chassis.settings import ServiceSettings
from projections import rebuilding
from projections.adapters.generation import Overtaken
from projections.adapters.log import LogSilent
from projections.comparison import Difference
from projections.progress import Progress as HowFar
from projections.progress import Rebuilt, Report
from readmodels.tables import READ_MODELS
from textmanager.audit import kafka_of
from textmanager.errors import UserError
from textmanager.places import service_settings


def run(state_dir: Path, name: str, *, as_json: bool) -> None:
    """Rebuild, and tell of it; raises UserError for what the user can put right."""
    names = [each.name for each in READ_MODELS]
    if name and name not in names:
        raise UserError(f"There is no read model {name!r}: they are {', '.join(names)}.")
    settings = service_settings(state_dir).model_copy(update={"kafka_url": kafka_of(state_dir)})
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    console.print("Rebuilding the read models from the log; the present ones serve.")
    with _bar(console) as report:
        result = asyncio.run(_rebuild(settings, report, [name] if name else []))
    show(console, result)
    if as_json:
        sys.stdout.write(json.dumps(as_dict(result)) + "\n")


async def _rebuild(settings: ServiceSettings, report: Report, tables: list[str]) -> Rebuilt:
    try:
        return await rebuilding.rebuild(settings, report=report, tables=tables)
    except LogSilent as error:
        raise UserError(
            f"Kafka at {settings.kafka_url} does not answer: start it, and call this again. It "
            "goes on where it was."
        ) from error
    except Overtaken as error:
        raise UserError(
            "Another rebuild is under way: wait for it. Nothing was switched by this one."
        ) from error
    except (OSError, SQLAlchemyError) as error:
        if isinstance(error, SQLAlchemyError) and not is_database_outage(error):
            raise
        raise UserError(
            f"The database does not answer ({type(error).__name__}): start it, and call this "
            "again. It goes on where it was."
        ) from error


def show(console: Console, result: Rebuilt) -> None:
    """Tell what a rebuild came to."""
    rate = result.events / max(0.001, result.seconds)
    console.print(
        f"Generation {result.generation} serves now: {result.events} events in "
        f"{result.seconds:.1f} s, {rate:,.0f} events/s. Generation {result.former} is kept until "
        "the next rebuild."
    )
    if result.removed:
        gone = ", ".join(str(each) for each in result.removed)
        console.print(f"Removed, as nobody reads it any more: generation {gone}.")
    if result.gaps:
        console.print(
            f"The read models are incomplete: {result.gaps} records of the log can't be shown. "
            "`textmanager dlq list --service projections` says why."
        )
    if result.ahead:
        console.print(
            f"The former generation was {result.ahead} events behind when the two were compared; "
            "what these say differs below."
        )
    console.print(_table(result.differences))
    if not any(each.rows for each in result.differences):
        console.print("The new read models are the same as the former ones.")


def as_dict(result: Rebuilt) -> dict[str, Any]:
    """Return the outcome as it is told by --json."""
    rate = result.events / max(0.001, result.seconds)
    differs = any(each.rows for each in result.differences)
    return {**asdict(result), "events_per_second": round(rate), "differs": differs}


def _table(differences: list[Difference]) -> Table:
    table = Table("read model", "before", "after", "differ", "how", box=box.SIMPLE)
    for each in differences:
        table.add_row(each.table, str(each.before), str(each.after), str(each.rows), _how(each))
    return table


def _how(difference: Difference) -> str:
    if not difference.rows:
        return ""
    counts = {
        "missing": difference.missing,
        "new": difference.added,
        "changed": difference.changed,
    }
    words = [f"{count} {word}" for word, count in counts.items() if count]
    words += [f"{name}: {count}" for name, count in sorted(difference.columns.items())]
    return "; ".join([", ".join(words), *difference.keys])


@contextmanager
def _bar(console: Console) -> Iterator[Report]:
    columns = (
        BarColumn(bar_width=32),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("reading the log", total=None)

        def report(progress: HowFar) -> None:
            rate = progress.done / max(0.001, progress.seconds)
            bar.update(
                task,
                total=max(1, progress.done + progress.left),
                completed=progress.done,
                description=f"{progress.done} events, {rate:,.0f} events/s",
            )

        yield report
        bar.update(task, total=1, completed=1)
