"""Walks through docs/tour.md: runs what it says in one shell, and compares what it shows.

A `bash` block is what somebody types; the `text` block after it is what they saw. Ids, times and
tokens differ each time, so both sides are compared with those left out.

    python -m tests.e2e.tour.walk          run it against a system of its own; write what it shows
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOUR = Path(__file__).parents[3] / "docs" / "tour.md"
_BLOCK = re.compile(r"```bash\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)
_MARK = "-- end of step --"
_VARYING = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b(?:SM|AC|MM)[0-9a-f]{32}\b"), "SID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DAY"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to type, and what is seen then."""

    typed: str
    seen: str
    line: int


def steps(text: str) -> Iterator[Step]:
    """Read the steps of a tour."""
    for found in _BLOCK.finditer(text):
        yield Step(found[1], found[2] or "", text.count("\n", 0, found.start()) + 1)


def alike(seen: str) -> str:
    """Leave out what differs from one time to the next."""
    for pattern, name in _VARYING:
        seen = pattern.sub(name, seen)
    return seen.rstrip()


def walk(tour: list[Step], environment: dict[str, str]) -> Iterator[tuple[Step, str]]:
    """Type one step after another into one shell; gives what each of them shows."""
    shell = subprocess.Popen(
        ["bash", "--noprofile", "--norc"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=TOUR.parents[1],
        text=True,
    )
    assert shell.stdin is not None and shell.stdout is not None
    try:
        for step in tour:
            shell.stdin.write(f"{step.typed}\necho '{_MARK}'\n")
            shell.stdin.flush()
            lines: list[str] = []
            while (line := shell.stdout.readline()) and line.rstrip("\n") != _MARK:
                lines.append(line)
            yield step, "".join(lines)
    finally:
        shell.terminate()
        shell.communicate(timeout=10)


def rewritten(text: str, shown: dict[int, str]) -> str:
    """Return the tour with what was really seen."""

    def replace(found: re.Match[str]) -> str:
        line = text.count("\n", 0, found.start()) + 1
        seen = shown[line].rstrip()
        block = f"```bash\n{found[1]}```\n"
        return f"{block}\n```text\n{seen}\n```\n" if seen else block

    return _BLOCK.sub(replace, text)


def main() -> int:
    """Write what each step shows into the tour."""
    from tests.e2e.tour.system import tour_system

    text = TOUR.read_text("utf-8")
    shown: dict[int, str] = {}
    with tempfile.TemporaryDirectory() as folder, tour_system(Path(folder)) as environment:
        for step, seen in walk(list(steps(text)), environment):
            shown[step.line] = seen
            same = alike(seen) == alike(step.seen)
            sys.stderr.write(f"line {step.line}: {'as before' if same else 'changed'}\n")
    TOUR.write_text(rewritten(text, shown), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
