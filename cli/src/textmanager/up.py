"""`textmanager up`: everything on one machine, until a signal."""

import time
from urllib.parse import urlsplit

from rich.console import Console

from textmanager.child import Change
from textmanager.interruption import run_until_signal
from textmanager.plan import Options
from textmanager.seed import CLOUD_ID, STAFF_PASSWORD, STAFF_USERNAME
from textmanager.supervisor import Supervisor


def run(options: Options) -> int:
    """Keep everything running until SIGINT or SIGTERM; returns the exit code."""
    console = Console(highlight=False, soft_wrap=True)
    return run_until_signal(_keep_up(options, console), console, stopped=0)


async def _keep_up(options: Options, console: Console) -> int:
    """Start all, tell how to reach it, then tell of each process that dies."""
    began = time.monotonic()
    console.print(f"Starting Text Manager on {options.state_dir} …")
    async with Supervisor(options) as supervisor:
        await supervisor.wait_ready()
        seeded = await supervisor.seed()
        console.print(f"Ready after {time.monotonic() - began:.1f} s.\n")
        console.print(_how_to_reach(supervisor, seeded=seeded))
        async for event in supervisor.events():
            if event.change is Change.UNREACHABLE:
                console.print(f"{event.name} is alive and does not answer: it is killed.")
            if event.change is Change.EXITED:
                console.print(f"{event.name} ended (exit code {event.code}) and is started again.")
    return 0


def _how_to_reach(supervisor: Supervisor, *, seeded: bool) -> str:
    at = supervisor.addresses
    services = supervisor.options.services
    lines = [
        f"  Kafka    {at.kafka}",
        f"  Valkey   {at.redis}",
        f"  Database {_without_password(at.database)}",
        f"  iMIS     {at.imis}",
        f"  Twilio   {at.twilio}",
        *([f"  Mail     {at.mail_page} (every mail that was sent)"] if at.mail_page else []),
        "",
    ]
    if "ingress" in services:
        lines.insert(0, f"  Ingress  {at.public} (where Twilio's callbacks come to)")
    if "gateway" in services:
        lines.insert(0, f"  API      {at.gateway}/v1/openapi.json")
    if seeded:
        lines.append(
            f"  Sign in as {STAFF_USERNAME} / {STAFF_PASSWORD}, Cloud ID {CLOUD_ID}: "
            f"POST {at.gateway}/v1/sessions"
        )
    elif "gateway" in services:
        lines.append(
            f"  Create an organisation first: PUT {at.gateway}/v1/organizations/CLOUD_ID with "
            f"the bearer token in {supervisor.plan.state_dir / 'keys' / 'operator.token'}"
        )
    state = supervisor.options.state_dir
    lines += [f"  Logs are in {state / 'logs'}; Ctrl-C stops everything.", ""]
    return "\n".join(lines)


def _without_password(database: str) -> str:
    parts = urlsplit(database)
    if parts.password is None:
        return database
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1)).geturl()
