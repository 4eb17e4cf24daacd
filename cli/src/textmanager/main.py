"""The way in: a service starts without loading the command line, and a slip is one sentence."""

import os
import sys

from textmanager.errors import INTERRUPTED, UserError, of_the_disk

# Each way loads only what it needs: a service must not wait for the command line.
# ruff: noqa: PLC0415


def main() -> None:
    """Run a service or a command; what the user can put right is one sentence and exit 1."""
    try:
        match sys.argv[1:]:
            case ["run", name] if not name.startswith("-"):
                from textmanager import services

                services.run(name)
            case ["migrate", *names] if _in_an_image(names):
                from textmanager.migrate import run

                run(os.environ["TEXTMANAGER_DATABASE_URL"], names, print)
            case _:
                _command()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        # While the command line itself is being loaded; later, each command sees to it.
        sys.exit(INTERRUPTED)


def _in_an_image(names: list[str]) -> bool:
    """Whether there is nothing that the command line would be needed for: an image has none."""
    options = any(name.startswith("-") for name in names)
    return bool(os.environ.get("TEXTMANAGER_DATABASE_URL")) and not options


def _command() -> None:
    import logging

    from textmanager.commands import app

    # Its complaints would come before our one sentence, and say less.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        app()
    except OSError as error:
        on_disk = of_the_disk(error)
        if on_disk is None:
            raise
        raise on_disk from error
