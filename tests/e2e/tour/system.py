"""The system that the tour is walked through: what `make up` gives a newcomer."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import DATABASE

from textmanager import runfile


@contextmanager
def tour_system(folder: Path) -> Iterator[dict[str, str]]:
    """Run everything until the block ends; gives the environment that the tour begins with."""
    state = folder / "state"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TEXTMANAGER_")}
    process = subprocess.Popen(
        (
            *(sys.executable, "-m", "textmanager", "up", "--state", str(state)),
            *("--recipients", "200", "--database", DATABASE),
        ),
        env=clean,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not any("Ctrl-C stops everything" in line for line in process.stdout):
            raise AssertionError("up ended before it was ready")
        at = {each.name: each.url for each in runfile.read(state)}
        yield clean | {
            "API": f"{at['gateway-1']}/v1",
            "MAIL": at["simulator-mail"],
            "IMIS": at["simulator-imis"],
            "TWILIO": at["simulator-twilio"],
            "STATE": str(state),
        }
    finally:
        process.terminate()
        process.communicate(timeout=60)
