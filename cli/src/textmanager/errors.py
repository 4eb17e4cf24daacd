"""What a person can put right: told in one sentence, without a traceback."""

import errno
from pathlib import Path

# The exit code of what was stopped by Ctrl-C, as shells have it.
INTERRUPTED = 130

# What a directory or a disk can be to blame for; anything else is ours.
_OF_THE_DISK = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EEXIST,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)


class UserError(Exception):
    """Something outside this program is wrong; the message says what, and what to do about it."""


def unusable(path: Path | str, error: OSError) -> UserError:
    """Say that a file or a directory can't be used, and what to do."""
    why = error.strerror or type(error).__name__
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return UserError(
            f"{path} can't be written ({why}): free some space, and run the same command again."
        )
    return UserError(
        f"{path} can't be used ({why}): name a directory that you may write to, with --state for "
        "the state or TEXTMANAGER_CACHE for what is downloaded, or mend its permissions."
    )


def of_the_disk(error: OSError) -> UserError | None:
    """Return what to tell of an error that the disk is to blame for; None for any other."""
    if error.errno not in _OF_THE_DISK:
        return None
    return unusable(error.filename or "The disk", error)
