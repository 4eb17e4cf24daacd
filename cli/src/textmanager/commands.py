"""The commands and their options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from textmanager.dlq_commands import dlq
from textmanager.errors import UserError
from textmanager.organization import app as organization
from textmanager.projections_commands import projections
from textmanager.replay_command import replay
from textmanager.unknown import app as unknown

# Each command's module is imported when it is called, so that --help and `run` stay quick.
# ruff: noqa: PLC0415

app = typer.Typer(
    name="textmanager",
    help="Text campaigns for organisations that keep their members in iMIS.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

State = Annotated[
    Path, typer.Option("--state", help="The directory of everything that this keeps.")
]

OwnDatabase = Annotated[
    str,
    typer.Option(
        "--database",
        help="sqlite or postgresql, started by us; by default what the state has, else sqlite.",
    ),
]


@app.command()
def up(
    *,
    state: State = Path(".textmanager"),
    services: Annotated[
        str, typer.Option(help="Only these services, with commas in between.")
    ] = "",
    replicas: Annotated[
        list[str] | None, typer.Option(help="How many of a service, such as sender=3.")
    ] = None,
    port: Annotated[
        list[str] | None, typer.Option(help="A process's port, such as gateway=8080.")
    ] = None,
    recipients: Annotated[
        int, typer.Option(min=1, help="How many members the simulated iMIS has.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="What the simulated members are drawn from.")] = 1,
    database: OwnDatabase = "",
) -> None:
    """Run everything on this machine until Ctrl-C, going on where the last run stopped."""
    from textmanager.databases import chosen as chosen_database
    from textmanager.interruption import leave
    from textmanager.plan import Options
    from textmanager.services import SERVICES
    from textmanager.up import run

    chosen = tuple(dict.fromkeys(name.strip() for name in services.split(",") if name.strip()))
    if services and not chosen:
        raise UserError(f"--services takes names with commas in between, not {services!r}.")
    options = Options(
        state_dir=state,
        services=chosen or SERVICES,
        replicas=_numbers("--replicas", replicas),
        ports=_numbers("--port", port),
        recipients=recipients,
        seed=seed,
        database=chosen_database(database),
    )
    leave(run(options))


@app.command("run")
def run_service(service: Annotated[str, typer.Argument(help="Which service.")]) -> None:
    """Run one service in the foreground, set up by its environment, as an image does."""
    from textmanager import services

    services.run(service)


@app.command()
def migrate(
    services: Annotated[
        list[str] | None, typer.Argument(help="Only these services; all of them by default.")
    ] = None,
    *,
    state: State = Path(".textmanager"),
) -> None:
    """Bring the services' tables up to this version, in TEXTMANAGER_DATABASE_URL or the state."""
    import os

    from textmanager.databases import database_of
    from textmanager.migrate import run

    run(database_of(state, os.environ), services or [], typer.echo)


@app.command()
def status(
    *,
    state: State = Path(".textmanager"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show each process, its health and its consumers' lag; exit 1 unless all are ready."""
    from textmanager.status import run

    sys.exit(run(state, as_json=as_json))


@app.command()
def demo(
    *,
    recipients: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many rows the IQA returns.")
    ] = 1000,
    rate: Annotated[
        float,
        typer.Option(min=0.1, max=1_000_000, help="Segments a second that the number may send."),
    ] = 100.0,
    state: Annotated[
        Path | None, typer.Option("--state", help="A fresh directory instead of a temporary one.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the state afterwards.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="The figures as one JSON object, the last line.")
    ] = False,
    database: OwnDatabase = "",
) -> None:
    """Send a real campaign on a fresh system, and prove what became of each recipient."""
    from textmanager.databases import chosen
    from textmanager.demo.run import Wanted, run
    from textmanager.interruption import leave

    wanted = Wanted(
        recipients=recipients,
        rate=rate,
        state_dir=state,
        keep=keep,
        as_json=as_json,
        database=chosen(database),
    )
    leave(run(wanted))


audit = typer.Typer(help="Why something was sent, or why not.", no_args_is_help=True)
app.add_typer(audit, name="audit")


@audit.callback()
def _audit() -> None:
    """Why something was sent, or why not."""


@audit.command("message")
def audit_message(
    message_id: Annotated[str, typer.Argument(help="The message's id.")],
    *,
    state: State = Path(".textmanager"),
    as_json: Annotated[bool, typer.Option("--json", help="A list of events.")] = False,
) -> None:
    """Show the whole causal history of one message, from the log."""
    import asyncio

    from textmanager.audit import show_message

    asyncio.run(show_message(state, message_id, as_list=as_json))


@audit.command("run")
def audit_run(
    run_id: Annotated[str, typer.Argument(help="The run's id.")],
    *,
    state: State = Path(".textmanager"),
    recipients: Annotated[
        bool, typer.Option("--recipients", help="A line for each row that the IQA returned.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what became of one run: every row is a message, or left out for one reason."""
    import asyncio

    from textmanager.audit_run_lines import show_run

    asyncio.run(show_run(state, run_id, as_json=as_json, recipients=recipients))


@audit.command("verify")
def audit_verify(
    *,
    run_id: Annotated[str | None, typer.Option("--run", help="Only this run.")] = None,
    state: State = Path(".textmanager"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Prove from the log and the stores that every message's chain is whole; exit 1 if not."""
    from textmanager.verify.command import run

    sys.exit(run(state, run_id, as_json=as_json))


app.add_typer(dlq, name="dlq")
app.command("replay")(replay)
app.add_typer(projections, name="projections")
app.add_typer(unknown, name="unknown")
app.add_typer(organization, name="organization")

topics = typer.Typer(help="The broker's topics.", no_args_is_help=True)
app.add_typer(topics, name="topics")


@topics.callback()
def _topics() -> None:
    """The broker's topics."""


@topics.command("create")
def topics_create() -> None:
    """Create the topics that are missing on TEXTMANAGER_KAFKA_URL; others stay as they are."""
    import asyncio
    import os

    from contracts.topics import TOPICS
    from textmanager.engines.topics import create_topics

    address = os.environ.get("TEXTMANAGER_KAFKA_URL")
    if not address:
        raise UserError("Set TEXTMANAGER_KAFKA_URL to the broker's host:port.")
    replicas = int(os.environ.get("TEXTMANAGER_REPLICATION_FACTOR", "1"))
    prefix = os.environ.get("TEXTMANAGER_TOPIC_PREFIX", "")
    asyncio.run(create_topics(address, TOPICS, prefix=prefix, replication_factor=replicas))
    typer.echo(f"{len(TOPICS)} topics are there.")


def _numbers(option: str, values: list[str] | None) -> dict[str, int]:
    """The pairs NAME=NUMBER of an option that can be repeated or have commas in between."""
    pairs = [pair for value in values or [] for pair in value.split(",") if pair]
    numbers: dict[str, int] = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        if not number.isdecimal():
            raise UserError(f"{option} takes NAME=NUMBER, such as sender=3, not {pair!r}.")
        numbers[name.strip()] = int(number)
    return numbers
