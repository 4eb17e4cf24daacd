"""The commands about the read models, and their options."""

from pathlib import Path
from typing import Annotated

import typer

# Each command's module is imported when it is called, so that --help stays quick.
# ruff: noqa: PLC0415

projections = typer.Typer(
    help="The read models, which are made from the log.", no_args_is_help=True
)


@projections.callback()
def _projections() -> None:
    """The read models, which are made from the log."""


@projections.command("rebuild")
def rebuild(
    name: Annotated[
        str, typer.Argument(help="Compare this read model alone; all are rebuilt, as one.")
    ] = "",
    *,
    state: Annotated[
        Path, typer.Option("--state", help="The directory of everything that this keeps.")
    ] = Path(".textmanager"),
    as_json: Annotated[
        bool, typer.Option("--json", help="The outcome as one JSON object, the last line.")
    ] = False,
) -> None:
    """Make the read models anew from the log while the present ones serve; then switch.

    Stopped at any moment, it goes on where it was when it is called again.
    """
    from textmanager.projections_rebuild import run

    run(state, name, as_json=as_json)
