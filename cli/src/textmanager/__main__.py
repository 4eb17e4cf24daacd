"""`python -m textmanager`; a service starts from here without loading the command line."""

import sys

from textmanager.errors import UserError


def main() -> None:
    """Run one service at once, or hand over to the command line."""
    match sys.argv[1:]:
        case ["run", name] if not name.startswith("-"):
            # Each way loads only what it needs: a service must not wait for the command line.
            from textmanager import services  # noqa: PLC0415

            try:
                services.run(name)
            except UserError as error:
                sys.stderr.write(f"{error}\n")
                sys.exit(1)
        case _:
            from textmanager.main import main as command_line  # noqa: PLC0415

            command_line()


if __name__ == "__main__":
    main()
