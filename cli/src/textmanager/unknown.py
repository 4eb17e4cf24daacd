"""`textmanager unknown`: messages of which nobody can tell whether they were sent (X-10).

It asks the gateway, with the operators' token; TEXTMANAGER_GATEWAY_URL and
TEXTMANAGER_OPERATOR_TOKEN name another installation than the one under `--state`.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import typer

from textmanager import keys, runfile
from textmanager.errors import UserError
from textmanager.probe import request

PATIENCE_SECONDS = 60.0

app = typer.Typer(
    help="Messages of which nobody can tell whether they were sent.", no_args_is_help=True
)
State = Annotated[
    Path, typer.Option("--state", help="The directory of everything that this keeps.")
]


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
    found = _call(state, "GET", f"/v1/operations/unknown?{urlencode(asked)}")
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
    _call(state, "POST", f"/v1/operations/messages/{wanted}/resolution", decision)
    typer.echo(f"Message {wanted} is taken as {resolution.replace('_', ' ')}.")


def _call(state: Path, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the gateway; what it refuses is one sentence."""
    url = _gateway_of(state)
    token = os.environ.get("TEXTMANAGER_OPERATOR_TOKEN") or keys.operator_token(state)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        answer = request(
            method,
            url + path,
            body=None if body is None else json.dumps(body),
            headers=headers,
            timeout_seconds=PATIENCE_SECONDS,
        )
    except OSError as error:
        raise UserError(
            f"The gateway at {url} does not answer ({error}): see its log, and repeat this."
        ) from error
    found = _parsed(answer.body)
    if answer.status >= 400:
        raise UserError(_told(found, answer.status))
    return found


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _told(problem: Any, status: int) -> str:
    """Return a problem document as one sentence, or say that it was none."""
    if not isinstance(problem, dict) or "detail" not in problem:
        return f"The gateway answered with {status}, and not in the form that was expected."
    faults = "; ".join(f"{each['field']} {each['detail']}" for each in problem.get("errors", []))
    return f"{problem['detail']} ({faults})" if faults else str(problem["detail"])


def _gateway_of(state: Path) -> str:
    if given := os.environ.get("TEXTMANAGER_GATEWAY_URL"):
        return given.rstrip("/")
    if runfile.is_up(state):
        for process in runfile.read(state):
            if process.name.startswith("gateway-") and process.pid is not None:
                return f"http://127.0.0.1:{process.port}"
    raise UserError(
        f"No gateway runs on {state}: start it with `textmanager up`, name another directory with "
        "--state, or set TEXTMANAGER_GATEWAY_URL."
    )
