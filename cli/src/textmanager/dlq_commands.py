"""The commands for dead letters, and their options."""

from pathlib import Path
from typing import Annotated

import typer

from textmanager.errors import UserError

# Each command's module is imported when it is called, so that --help stays quick.
# ruff: noqa: PLC0415

State = Annotated[
    Path, typer.Option("--state", help="The directory of everything that this keeps.")
]
Topic = Annotated[str, typer.Option(help="Only those from this topic.")]
Reason = Annotated[str, typer.Option(help="Only those given up for this reason.")]
Of = Annotated[str, typer.Option("--service", help="Only those that this service gave up.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]

dlq = typer.Typer(help="Events that a service could not handle.", no_args_is_help=True)


@dlq.callback()
def _dlq() -> None:
    """Events that a service could not handle."""


@dlq.command("list")
def dlq_list(
    *,
    topic: Topic = "",
    reason: Reason = "",
    service: Of = "",
    handled_too: Annotated[
        bool, typer.Option("--all", help="Also those that were replayed or dropped.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many to list; all are counted.")] = 100,
    state: State = Path(".textmanager"),
    as_json: AsJson = False,
) -> None:
    """Count the dead letters by topic, service and reason, and list them."""
    import asyncio

    from textmanager.dlq import desk_of, show_list
    from textmanager.dlq_letters import Filter

    chosen = Filter(topic=topic, reason=reason, service=service)
    asyncio.run(
        show_list(desk_of(state), chosen, handled_too=handled_too, as_json=as_json, limit=limit)
    )


@dlq.command("show")
def dlq_show(
    number: Annotated[int, typer.Argument(min=0, help="The letter's number.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="With all that it holds of a person.")] = False,
    state: State = Path(".textmanager"),
    as_json: AsJson = False,
) -> None:
    """Show one letter: what was said of it, its headers and its event."""
    import asyncio

    from textmanager.dlq import desk_of, show_one

    asyncio.run(show_one(desk_of(state), number, raw=raw, as_json=as_json))


@dlq.command("replay")
def dlq_replay(
    numbers: Annotated[list[int] | None, typer.Argument(min=0, help="The letters.")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Each open one that is meant.")] = False,
    topic: Topic = "",
    reason: Reason = "",
    service: Of = "",
    state: State = Path(".textmanager"),
) -> None:
    """Hand letters to the services that failed, once more and under their own ids."""
    import asyncio

    from textmanager.dlq import desk_of, replay
    from textmanager.dlq_letters import Filter

    if bool(numbers) == every:
        raise UserError("Name the letters by their numbers, or take --all of them.")
    if not every and (topic or reason or service):
        raise UserError("--topic, --reason and --service choose among --all.")
    chosen = Filter(topic=topic, reason=reason, service=service) if every else None
    asyncio.run(replay(desk_of(state), numbers or (), chosen))


@dlq.command("drop")
def dlq_drop(
    numbers: Annotated[list[int], typer.Argument(min=0, help="The letters.")],
    *,
    why: Annotated[str, typer.Option(help="For whoever looks later.")],
    state: State = Path(".textmanager"),
) -> None:
    """Record that letters are of no use to anyone; nothing is deleted."""
    import asyncio

    from textmanager.dlq import desk_of, drop

    asyncio.run(drop(desk_of(state), numbers, why))
