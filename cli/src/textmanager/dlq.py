"""`textmanager dlq`: list, show, replay and drop what no service could handle."""

import json
import os
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from textmanager.audit import kafka_of
from textmanager.dlq_desk import Desk, unknown
from textmanager.dlq_letters import Filter, Letter
from textmanager.dlq_show import shown
from textmanager.errors import UserError
from textmanager.services import SERVICES

TABLE_WIDTH = 130


def desk_of(state_dir: Path) -> Desk:
    """Return the dead letters of the installation that a directory or the environment names."""
    return Desk(kafka_of(state_dir), prefix=os.environ.get("TEXTMANAGER_TOPIC_PREFIX", ""))


async def show_list(
    desk: Desk, chosen: Filter, *, handled_too: bool, as_json: bool, limit: int
) -> None:
    """Print how many letters there are of each kind, then the letters."""
    letters = [
        letter
        for letter in await desk.letters()
        if chosen.takes(letter) and (handled_too or letter.state == "open")
    ]
    counts = Counter((letter.topic, letter.service, letter.reason) for letter in letters)
    if as_json:
        _say(
            json.dumps(
                {
                    "letters": [as_object(letter) for letter in letters],
                    "counts": [
                        {"topic": topic, "service": service, "reason": reason, "letters": count}
                        for (topic, service, reason), count in sorted(counts.items())
                    ],
                }
            )
        )
        return
    if not letters:
        _say("There are no dead letters." if handled_too else "There are no open dead letters.")
        return
    console = Console(width=max(Console().width, TABLE_WIDTH))
    summary = _table("topic", "service", "reason", "letters")
    for (topic, service, reason), count in sorted(counts.items()):
        summary.add_row(*map(Text, (topic, service, reason, str(count))))
    console.print(summary)
    console.print(_listing(letters[-limit:]))
    if len(letters) > limit:
        _say(f"These are the last {limit} of {len(letters)}: --limit shows more.")


def _listing(letters: Sequence[Letter]) -> Table:
    table = _table("number", "when", "service", "subscription", "type", "reason", "state")
    for letter in letters:
        again = "" if letter.again_of is None else f" (again, after {letter.again_of})"
        table.add_row(
            *map(
                Text,
                (
                    str(letter.number),
                    letter.at.isoformat(timespec="seconds"),
                    letter.service,
                    letter.subscription,
                    letter.type,
                    f"{letter.reason} {letter.detail}".strip() + again,
                    letter.state,
                ),
            )
        )
    return table


def _table(*columns: str) -> Table:
    table = Table(*columns, box=box.SIMPLE)
    for column in table.columns:
        column.no_wrap = True
    return table


def as_object(letter: Letter) -> dict[str, Any]:
    """Return a letter without anything of its event."""
    decision = letter.decision
    return {
        "number": letter.number,
        "at": letter.at.isoformat(),
        "service": letter.service,
        "subscription": letter.subscription,
        "type": letter.type,
        "reason": letter.reason,
        "detail": letter.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "attempt": letter.attempt,
        "again_of": letter.again_of,
        "bytes": letter.size,
        "truncated": letter.truncated,
        "state": letter.state,
        "decision": None if decision is None else decision.model_dump(mode="json"),
    }


async def show_one(desk: Desk, number: int, *, raw: bool, as_json: bool) -> None:
    """Print one letter: its headers and, as far as it can be read, its event."""
    record = await desk.record_of(number)
    found = next(each for each in await desk.letters() if number in each.numbers)
    if as_json:
        _say(json.dumps(as_object(found) | {"record": shown(record, raw=raw)}, default=str))
        return
    for name, value in as_object(found).items():
        if name != "decision" and value not in (None, ""):
            _say(f"{name:14}{value}")
    if found.decision is not None:
        why = f": {found.decision.why}" if found.decision.why else ""
        by, at = found.decision.by, found.decision.at.isoformat(timespec="seconds")
        _say(f"{'decided':14}{found.decision.decision} by {by} at {at}{why}")
    for name, value in shown(record, raw=raw).items():
        _say(f"{name:14}{json.dumps(value, indent=2, default=str)}")


async def replay(desk: Desk, numbers: Collection[int], chosen: Filter | None) -> None:
    """Hand letters to the services that failed, under the events' own ids."""
    letters = await _chosen(desk, numbers, chosen)
    for letter in letters:
        if letter.service not in SERVICES:
            raise UserError(f"Letter {letter.number} names no service of ours: it can't be handed.")
        if letter.truncated:
            raise UserError(
                f"Letter {letter.number} is cut off: the record was too big to be kept whole. It "
                f"lies on {letter.topic}, partition {letter.partition}, offset {letter.offset}."
            )
    await desk.decide(letters, "replayed")
    for letter in letters:
        _say(
            f"Letter {letter.number} was handed to {letter.service} once more{_before(letter)}. "
            "If it fails again, it is a new letter that names this one."
        )
    if not letters:
        _say("There is nothing to replay.")


def _before(letter: Letter) -> str:
    decision = letter.decision
    if decision is None:
        return ""
    at = decision.at.isoformat(timespec="seconds")
    harmless = (
        ": that does no harm, as an event that was handled changes nothing"
        if decision.decision == "replayed"
        else ""
    )
    return f" (it was {decision.decision} by {decision.by} at {at} already{harmless})"


async def drop(desk: Desk, numbers: Collection[int], why: str) -> None:
    """Record that letters are of no use to anyone; they stay where they are."""
    if not why.strip():
        raise UserError("Say why with --why: whoever looks later will want to know.")
    letters = await _chosen(desk, numbers, None)
    await desk.decide(letters, "dropped", why.strip())
    _say(f"Dropped {len(letters)}: `textmanager dlq list --all` still shows them.")


async def _chosen(desk: Desk, numbers: Collection[int], chosen: Filter | None) -> list[Letter]:
    """Return the letters of these numbers, or each open one that is meant."""
    letters = await desk.letters()
    if chosen is not None:
        return [each for each in letters if each.state == "open" and chosen.takes(each)]
    wanted = set(numbers)
    found = [each for each in letters if wanted & set(each.numbers)]
    if missing := wanted - {number for each in found for number in each.numbers}:
        raise unknown(missing)
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
