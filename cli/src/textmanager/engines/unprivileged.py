"""Run a command as another user: `python -I -S unprivileged.py UID GID PATH COMMAND...`

PostgreSQL refuses to run as root, so root runs it as a user without rights. The command takes
this process's place (exec), so its pid stays the one that the supervisor knows.

Where PATH, or the command itself, lies below a directory that is closed to that user (a root's
home, a temporary directory), the command keeps the one right to pass through directories, and
no other. On other systems than Linux there is no such right: there the path must be open.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
SIGKILL = 9
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Rights(ctypes.Structure):
    # The effective, the permitted and the inheritable set, as two 32-bit halves.
    _fields_ = (("sets", ctypes.c_uint32 * 6),)


def closed_above(path: Path) -> bool:
    """Whether a directory above the path can't be passed through by everybody."""
    return any(not parent.stat().st_mode & 0o001 for parent in path.absolute().parents)


def _permitted() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def main() -> None:
    """Give up root's rights, stay tied to the parent, then become the command."""
    uid, gid = int(sys.argv[1]), int(sys.argv[2])
    path, command = Path(sys.argv[3]), sys.argv[4:]
    parent = os.getppid()
    linux = sys.platform == "linux"
    passing: int | None = None
    libc = ctypes.CDLL(None)
    if linux and (closed_above(path) or closed_above(Path(command[0]))):
        permitted = _permitted()
        wanted = (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE)
        passing = next((each for each in wanted if permitted >> each & 1), None)
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if passing is not None:
        bit = 1 << passing
        header = _Header(CAPABILITY_VERSION_3, 0)
        libc.capset(ctypes.byref(header), ctypes.byref(_Rights((bit, bit, bit, 0, 0, 0))))
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, passing, 0, 0)
    if linux:
        # Another user's process is not tied any more: the kernel forgot it with the rights.
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    os.execv(command[0], command)  # noqa: S606 - the engine chose the command


if __name__ == "__main__":
    main()
