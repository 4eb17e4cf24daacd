"""`textmanager unknown`: messages of which nobody can tell whether they were sent (X-10)."""

import json
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

import typer

from textmanager.errors import UserError
from textmanager.operators import State, call

app = typer.Typer(
    help="Messages of which nobody can tell whether they were sent.", no_args_is_help=True
)


@app.callback()
def _unknown() -> None:
    """Messages of which nobody can tell whether they were sent."""


@app.command("list")
def list_unknown(
    *,
    organization: Annotated[
        str | None, typer.Option("--organization", help="Only this Cloud ID's.")
    ] = None,
    state: State = Path(".textmanager"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List them, the oldest first."""
    asked = {"limit": "500"} | ({"organization": organization} if organization else {})
    found = call(state, "GET", f"/v1/operations/unknown?{urlencode(asked)}")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for each in found["items"]:
        typer.echo(
            f"{each['message_id']}  tried {each['attempted_at'] or 'never'}  row {each['row']} of "
            f"run {each['run_id']}  {each['reason'] or ''}".rstrip()
        )
    count = f"{len(found['items'])}{' and more' if found['more'] else ''}"
    typer.echo(f"{count} unknown. Look them up at Twilio, then `textmanager unknown resolve ID`.")


@app.command("resolve")
def resolve_unknown(
    message_id: Annotated[str, typer.Argument(help="The message's id.")],
    *,
    sent: Annotated[
        str | None, typer.Option("--sent", metavar="SID", help="Twilio has it, under this SID.")
    ] = None,
    send_again: Annotated[
        bool, typer.Option("--send-again", help="Twilio never took it: it may be sent.")
    ] = False,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="Leave it as it is, and don't send it.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who decides.")],
    reason: Annotated[str, typer.Option("--reason", help="How they know.")],
    state: State = Path(".textmanager"),
) -> None:
    """Say what became of one of them; it is kept with who said so, and why."""
    chosen = {"sent": sent is not None, "send_again": send_again, "given_up": given_up}
    if sum(chosen.values()) != 1:
        raise UserError("Say one of --sent SID, --send-again and --given-up.")
    try:
        wanted = UUID(message_id)
    except ValueError as error:
        raise UserError(f"{message_id!r} is no message id: it is a UUID.") from error
    resolution = next(name for name, is_it in chosen.items() if is_it)
    decision = {"resolution": resolution, "by": by, "reason": reason}
    if sent is not None:
        decision["sid"] = sent
    call(state, "POST", f"/v1/operations/messages/{wanted}/resolution", decision)
    typer.echo(f"Message {wanted} is taken as {resolution.replace('_', ' ')}.")
