"""What operators ask the gateway, with their token.

TEXTMANAGER_GATEWAY_URL and TEXTMANAGER_OPERATOR_TOKEN name another installation than the one under
`--state`.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from textmanager import keys, runfile
from textmanager.errors import UserError
from textmanager.probe import request

PATIENCE_SECONDS = 60.0
State = Annotated[
    Path, typer.Option("--state", help="The directory of everything that this keeps.")
]


def call(
    state: Path,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    only_if: Mapping[str, str] | None = None,
    otherwise: str = "",
) -> Any:
    """Ask the gateway; what it refuses is one sentence.

    `only_if` are headers that name a condition; `otherwise` is said where it doesn't hold.
    """
    url = _gateway_of(state)
    token = os.environ.get("TEXTMANAGER_OPERATOR_TOKEN") or keys.operator_token(state)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    headers |= only_if or {}
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
    if answer.status == 412 and otherwise:
        raise UserError(otherwise)
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
