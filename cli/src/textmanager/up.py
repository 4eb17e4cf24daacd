"""`textmanager up`: everything on one machine, until a signal."""

import asyncio
import os
import signal
import threading
import time
from contextlib import suppress

from rich.console import Console

from textmanager.child import Change
from textmanager.errors import UserError
from textmanager.plan import Options
from textmanager.seed import CLOUD_ID, STAFF_PASSWORD, STAFF_USERNAME
from textmanager.supervisor import PREPARATION, Supervisor

INTERRUPTED = 130


def run(options: Options) -> int:
    """Keep everything running until SIGINT or SIGTERM; returns the exit code."""
    code = asyncio.run(_until_signal(options, Console(highlight=False, soft_wrap=True)))
    if any(thread.name == PREPARATION and thread.is_alive() for thread in threading.enumerate()):
        # Stopped in the middle of a download, whose threads a plain exit would wait for.
        os._exit(code)
    return code


async def _until_signal(options: Options, console: Console) -> int:
    supervisor = Supervisor(options)
    signalled = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if signalled.is_set():
            # Asked twice: the kernel ends every child of ours as we go.
            os._exit(INTERRUPTED)
        signalled.set()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, on_signal)
    work = asyncio.create_task(_bring_up(supervisor, console))
    waiting = asyncio.create_task(signalled.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
        else:
            console.print("Stopping …")
    finally:
        for task in (work, waiting):
            task.cancel()
            with suppress(asyncio.CancelledError, UserError):
                await task
        await supervisor.stop()
    return 0


async def _bring_up(supervisor: Supervisor, console: Console) -> None:
    """Start all, tell how to reach it, then tell of each process that dies."""
    began = time.monotonic()
    console.print(f"Starting Text Manager on {supervisor.options.state_dir} …")
    await supervisor.start()
    await supervisor.wait_ready()
    seeded = await supervisor.seed()
    console.print(f"Ready after {time.monotonic() - began:.1f} s.\n")
    console.print(_how_to_reach(supervisor, seeded=seeded))
    async for event in supervisor.events():
        if event.change is Change.EXITED:
            console.print(f"{event.name} ended (exit code {event.code}) and is started again.")


def _how_to_reach(supervisor: Supervisor, *, seeded: bool) -> str:
    at = supervisor.addresses
    lines = [
        f"  API      {at.gateway}/v1/openapi.json",
        f"  Ingress  {at.public} (where Twilio's callbacks come to)",
        f"  Kafka    {at.kafka}",
        f"  Valkey   {at.redis}",
        f"  iMIS     {at.imis}",
        f"  Twilio   {at.twilio}",
        "",
    ]
    if seeded:
        lines.append(
            f"  Sign in as {STAFF_USERNAME} / {STAFF_PASSWORD}, Cloud ID {CLOUD_ID}: "
            f"POST {at.gateway}/v1/sessions"
        )
    else:
        lines.append(
            f"  Create an organisation first: PUT {at.gateway}/v1/organizations/CLOUD_ID with "
            f"the bearer token in {supervisor.plan.state_dir / 'keys' / 'operator.token'}"
        )
    state = supervisor.options.state_dir
    lines += [f"  Logs are in {state / 'logs'}; Ctrl-C stops everything.", ""]
    return "\n".join(lines)
