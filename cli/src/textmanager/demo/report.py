"""What the demo prints at the end."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from textmanager.demo.proof import MOST_SHOWN, Verdict


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it took, in seconds, and how much of the allowed rate was used."""

    seconds_to_first_accepted: float
    seconds: float
    sending_seconds: float
    rate_used: float
    messages_per_second: float


def timing(
    accepted: list[dict[str, Any]],
    *,
    launched_at: float,
    ended_at: float,
    rate: float,
    paused_seconds: float,
) -> Timing:
    """Work the times out of Twilio's own record of what it took and when."""
    if not accepted:
        return Timing(0.0, ended_at - launched_at, 0.0, 0.0, 0.0)
    times = [each["accepted_at"] for each in accepted]
    segments = sum(int(each["num_segments"]) for each in accepted)
    first, last = min(times), max(times)
    # The last text's own share of the rate has not gone by when it is accepted. In a pause the
    # allowance grows for a second, and no more.
    paused = max(0.0, paused_seconds - 1.0)
    span = last - first - paused + int(accepted[-1]["num_segments"]) / rate
    return Timing(
        seconds_to_first_accepted=round(first - launched_at, 3),
        seconds=round(ended_at - launched_at, 3),
        sending_seconds=round(last - first, 3),
        rate_used=round(segments / (rate * span), 4),
        messages_per_second=round(len(accepted) / max(0.001, last - first - paused), 1),
    )


def as_json(verdict: Verdict, times: Timing) -> str:
    """Return the one line that a script reads."""
    shown = asdict(verdict)
    shown["disagreements"] = len(verdict.disagreements)
    return json.dumps({**shown, **asdict(times)})


def summary(verdict: Verdict, times: Timing) -> Table:
    """Return the figures as a table."""
    table = Table(title="What happened", title_justify="left", box=None, pad_edge=False)
    table.show_header = False
    table.add_column("")
    table.add_column("", justify="right")
    rows: list[tuple[str, object]] = [
        ("rows that the IQA returned", verdict.recipients_returned),
        *((f"  left out: {reason}", count) for reason, count in verdict.excluded.items()),
        ("messages", verdict.messages),
        ("segments", verdict.segments),
        ("accepted by Twilio", verdict.accepted),
        ("  delivered", verdict.delivered),
        ("  undelivered", verdict.undelivered),
        ("  failed", verdict.failed),
        ("activities in iMIS", verdict.activities_written),
        ("lost", verdict.lost),
        ("sent twice", verdict.sent_twice),
        ("activities written twice", verdict.activities_twice),
        ("events in the log", sum(verdict.events.values())),
        ("seconds to the first accepted text", f"{times.seconds_to_first_accepted:.2f}"),
        ("seconds in all", f"{times.seconds:.1f}"),
        ("share of the allowed rate used", f"{times.rate_used:.1%}"),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    return table


def show(console: Console, verdict: Verdict, times: Timing) -> None:
    """Print the figures and the verdict."""
    console.print()
    console.print(summary(verdict, times))
    if verdict.agreed:
        console.print(
            "\n[green]All agree, recipient by recipient:[/green] Twilio, the ledger, the log, "
            "the read models and iMIS.\n"
        )
        return
    console.print(f"\n[red]{len(verdict.disagreements)} disagreements:[/red]")
    for each in verdict.disagreements[:MOST_SHOWN]:
        console.print(f"  {each}")
