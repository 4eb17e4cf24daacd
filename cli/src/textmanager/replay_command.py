"""The command that hands a service a stretch of the log once more, and its options."""

from pathlib import Path
from typing import Annotated

import typer

# The command's module is imported when it is called, so that --help stays quick.
# ruff: noqa: PLC0415


def replay(
    *,
    topic: Annotated[str, typer.Option(help="From this topic.")],
    since: Annotated[
        str, typer.Option("--from", help="`beginning`, an offset in each partition, or a time.")
    ],
    to_service: Annotated[str, typer.Option(help="To this service, which listens to it.")],
    until: Annotated[
        str, typer.Option("--to", help="The first offset or time that is left out.")
    ] = "",
    subscription: Annotated[
        str, typer.Option(help="Only to this subscription of the service.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count by type, and change nothing.")
    ] = False,
    state: Annotated[
        Path, typer.Option("--state", help="The directory of everything that this keeps.")
    ] = Path(".textmanager"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Hand a service what it has had from a topic once more, each event under its own id."""
    import asyncio

    from textmanager import replay as replaying
    from textmanager.dlq import desk_of
    from textmanager.services import known

    wanted = replaying.Wanted(
        topic=topic,
        service=known(to_service),
        subscription=subscription,
        since=replaying.place(since, option="--from"),
        until=replaying.place(until, option="--to") if until else None,
    )
    asyncio.run(replaying.replay(desk_of(state), wanted, dry_run=dry_run, as_json=as_json))
