"""Run a command that dies with its parent: `python -I -S tether.py PARENT_PID COMMAND...`

The command takes this process's place (exec), so its pid is the one that the parent knows.
It stands in a small program of its own rather than in a `preexec_fn`, which could dead-lock
in a process that has threads; it imports nothing of this package so that it costs 15 ms.

On Linux the kernel sends SIGKILL when the parent dies, however it dies. macOS has nothing
like it: there what a killed supervisor leaves behind is ended by the next `up` on that state.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
SIGKILL = 9


def main() -> None:
    """Tie this process to its parent, then become the command."""
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != parent:
            # The parent died before the kernel was asked, so its death would go unnoticed.
            os._exit(1)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the parent chose the command


main()
