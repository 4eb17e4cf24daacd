"""Ctrl-C and SIGTERM: work is stopped in order, in whatever phase it is."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Any, NoReturn

from rich.console import Console

from textmanager.errors import INTERRUPTED, UserError
from textmanager.supervisor import PREPARATION


def run_until_signal(work: Coroutine[Any, Any, int], console: Console, *, stopped: int) -> int:
    """Do the work, which SIGINT or SIGTERM cancels; returns its exit code, or `stopped`."""
    return asyncio.run(_until_signal(work, console, stopped))


async def _until_signal(work: Coroutine[Any, Any, int], console: Console, stopped: int) -> int:
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if task.cancelling():
            # Asked twice: the kernel ends every child of ours as we go.
            os._exit(INTERRUPTED)
        console.print("Stopping …")
        task.cancel()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, on_signal)
    try:
        return await task
    except (asyncio.CancelledError, UserError):
        # What fails because it is being stopped is not for the user to put right.
        if task.cancelling():
            return stopped
        raise


def leave(code: int) -> NoReturn:
    """End this process at once, without waiting for the threads of a download."""
    if any(thread.name == PREPARATION and thread.is_alive() for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
