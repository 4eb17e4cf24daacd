"""`textmanager organization`: who has an account here; secrets never stand on a command line."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from textmanager.errors import UserError
from textmanager.operators import State, call

IMIS_PASSWORD = "TEXTMANAGER_IMIS_PASSWORD"  # noqa: S105 - the name of a variable
TWILIO_TOKEN = "TEXTMANAGER_TWILIO_AUTH_TOKEN"  # noqa: S105 - the name of a variable

app = typer.Typer(help="The organisations of this installation.", no_args_is_help=True)


@app.callback()
def _organization() -> None:
    """The organisations of this installation."""


@app.command("list")
def list_organizations(
    *,
    state: State = Path(".textmanager"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """List them."""
    found = call(state, "GET", "/v1/operations/organizations")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for each in found["items"]:
        stopped = "  STOPPED" if each["stopped"] else ""
        numbers = ", ".join(each["numbers"]) or "no number"
        typer.echo(f"{each['cloud_id']}  {each['name']}  {numbers}{stopped}")
    count = len(found["items"])
    more = " and more" if found["more"] else ""
    typer.echo(f"{count}{more} organisation{'' if count == 1 else 's'}.")


@app.command("add")
def add_organization(
    cloud_id: Annotated[str, typer.Argument(help="The Cloud ID that staff sign in with.")],
    *,
    name: Annotated[str, typer.Option("--name", help="How it is called.")],
    imis_url: Annotated[str, typer.Option("--imis-url", help="Where its iMIS is.")],
    imis_username: Annotated[
        str, typer.Option("--imis-username", help="The account that runs use.")
    ],
    twilio_account: Annotated[
        str, typer.Option("--twilio-account", metavar="SID", help="Its Twilio account.")
    ],
    imis_version: Annotated[str, typer.Option("--imis-version", help="`ems` or `2017`.")] = "ems",
    staff_login: Annotated[
        list[str] | None,
        typer.Option(
            "--staff-login",
            help="Who may sign in where iMIS tells no roles; 2017 needs one; may be repeated.",
        ),
    ] = None,
    number: Annotated[
        list[str] | None,
        typer.Option("--number", help="A verified number to send from; may be repeated."),
    ] = None,
    country: Annotated[
        str, typer.Option("--country", help="Of numbers without a prefix: name, region, prefix.")
    ] = "United States",
    time_zone: Annotated[
        str, typer.Option("--time-zone", help="Whose days its limits go by.")
    ] = "UTC",
    email: Annotated[
        str | None, typer.Option("--email", help="Who is told when anything goes wrong.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite all settings of one that is there.")
    ] = False,
    state: State = Path(".textmanager"),
) -> None:
    """Add one; the two secrets come from the environment, a prompt, or standard input.

    TEXTMANAGER_IMIS_PASSWORD and TEXTMANAGER_TWILIO_AUTH_TOKEN count first. Without them they are
    asked for, or read as two lines from standard input where nobody can be asked.
    """
    if not cloud_id.strip() or "/" in cloud_id:
        raise UserError("A Cloud ID must not be blank, and has no slash.")
    body: dict[str, Any] = {
        "name": name,
        "default_country": country,
        "time_zone": time_zone,
        "default_email": email,
        "numbers": [{"number": each} for each in number or []],
        "imis": {
            "url": imis_url,
            "version": imis_version,
            "username": imis_username,
            "staff_logins": staff_login or [],
            "password": _secret(IMIS_PASSWORD, "The iMIS account's password"),
        },
        "twilio": {
            "account_sid": twilio_account,
            "auth_token": _secret(TWILIO_TOKEN, "The Twilio account's auth token"),
        },
    }
    made = call(
        state,
        "PUT",
        f"/v1/organizations/{quote(cloud_id, safe='')}",
        body,
        only_if=None if replace else {"If-None-Match": "*"},
        otherwise=f"There is an organisation {cloud_id} already: its staff change its settings, or "
        "--replace overwrites all of them.",
    )
    typer.echo(f"{made['name']} is there: its staff sign in with the Cloud ID {made['cloud_id']}.")
    if not made["numbers"]:
        typer.echo("It has no number to send from yet: staff add one in the settings.")


def _secret(variable: str, asked_for: str) -> str:
    """Return a secret; it is never an argument, which every process of the machine can read."""
    if given := os.environ.get(variable):
        return given
    if sys.stdin.isatty():
        return str(typer.prompt(asked_for, hide_input=True))
    if line := sys.stdin.readline().rstrip("\r\n"):
        return line
    raise UserError(f"{asked_for} is missing: set {variable}, or give it on standard input.")
