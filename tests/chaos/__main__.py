"""`make chaos`: try the promise that nothing is lost and nothing is sent twice, whatever dies.

    python -m tests.chaos --kills 50 --messages 5000 --seed 1 --faults all --database sqlite

What happens is told on stderr; the last line of stdout is one JSON object. The exit code is 1
when any of the figures that must be zero isn't.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from tests.chaos.chaos import Wanted, run
from tests.chaos.plan import faults_named

from textmanager.errors import INTERRUPTED, UserError
from textmanager.interruption import leave, run_until_signal


def main() -> int:
    """Read the arguments, try, and tell."""
    arguments = _arguments()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="textmanager-chaos-"))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    kept = arguments.keep is not None
    try:
        wanted = Wanted(
            kills=arguments.kills,
            messages=arguments.messages,
            seed=arguments.seed,
            faults=faults_named(arguments.faults),
            database=arguments.database,
            rate=arguments.rate,
            patience_seconds=arguments.patience,
        )
        code = run_until_signal(_try(wanted, folder, console), console, stopped=INTERRUPTED)
        kept = kept or code == 1
    except (UserError, ValueError) as error:
        console.print(f"Error: {error}")
        code, kept = 1, True
    if kept:
        console.print(f"The state is kept: textmanager audit verify --state {folder / 'state'}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return code


async def _try(wanted: Wanted, folder: Path, console: Console) -> int:
    course = await run(wanted, folder)
    for line in course.stories:
        console.print(line, markup=False)
    if not course.good:
        console.print(f"Seed {wanted.seed} found something: its findings are above.")
    sys.stdout.write(json.dumps(course.as_json()) + "\n")
    sys.stdout.flush()
    return 0 if course.good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--kills", type=int, default=50, help="how often SIGKILL is sent")
    parser.add_argument("--messages", type=int, default=5000, help="rows of each campaign")
    parser.add_argument("--seed", type=int, default=1, help="decides what happens")
    parser.add_argument(
        "--faults", default="all", help="all, none, twilio, imis, stops, staff, or names"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rate", type=float, help="segments a second; else as the kills need it")
    parser.add_argument("--patience", type=float, default=180.0, help="seconds until all is quiet")
    parser.add_argument("--keep", type=Path, help="a fresh directory, which is kept")
    return parser.parse_args()


if __name__ == "__main__":
    leave(main())
