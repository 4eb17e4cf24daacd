"""`textmanager replay`: hands a service a stretch of a topic once more, by its retry topic."""

import json
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis.letters import Origin, new_delivery, with_values
from contracts.envelope import type_of
from contracts.topics import BY_NAME, TOPICS
from textmanager.dlq_desk import Desk, Dispatch
from textmanager.dlq_letters import printable
from textmanager.errors import UserError
from textmanager.eventlog import log_reader, records_in, spans_of

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

Place = datetime | int
Span = tuple[int, int]
BEGINNING = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records of which topic are for whom."""

    topic: str
    service: str
    subscription: str = ""
    """Empty: each subscription of the service that listens to the topic."""
    since: Place = BEGINNING
    until: Place | None = None
    """The first that is left out; None: as far as the log reaches now."""

    def __post_init__(self) -> None:
        topic = BY_NAME.get(self.topic)
        if topic is None:
            names = ", ".join(each.name for each in TOPICS if each.consumers)
            raise UserError(f"There is no topic {self.topic!r}: the topics are {names}.")
        if self.service not in topic.consumers or self.topic.startswith("retry."):
            listeners = [] if self.topic.startswith("retry.") else list(topic.consumers)
            who = ", ".join(listeners) or "nobody"
            does = "do" if len(listeners) > 1 else "does"
            raise UserError(
                f"{self.service} does not listen to {self.topic}: {who} {does}, and only who "
                "listens can be handed it again."
            )
        if self.subscription and not self.subscription.startswith(f"{self.service}."):
            raise UserError(
                f"{self.subscription} is no subscription of {self.service}: theirs begin with "
                f"{self.service}., as `textmanager dlq list` shows them."
            )


def place(text: str, *, option: str) -> Place:
    """Read a place in the log: `beginning`, an offset, or a time of ISO 8601."""
    if text == "beginning":
        return BEGINNING
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UserError(
            f"{option} takes an offset, a time such as 2030-01-31T12:00:00Z with its zone, or "
            f"`beginning`, not {text!r}."
        )
    return moment.astimezone(UTC)


async def replay(desk: Desk, wanted: Wanted, *, dry_run: bool, as_json: bool) -> None:
    """Hand each record to the service and say how many there were, by type."""
    console = Console(stderr=True)
    async with log_reader(desk.kafka_url) as consumer:
        spans = await chosen_spans(consumer, desk.prefix + wanted.topic, wanted)
        total = sum(end - start for start, end in spans.values())
        with _progress(console) as bar:
            task = bar.add_task("counting" if dry_run else "handing over", total=total)
            counts: Counter[str] = Counter()

            def counted(record: "ConsumerRecord[bytes, bytes]") -> None:
                counts[printable(type_of(with_values(record.headers))) or "(no type)"] += 1
                bar.advance(task)

            if dry_run:
                async for record in records_in(consumer, spans):
                    counted(record)
            else:
                async with desk.dispatch() as dispatch:
                    delivery = new_delivery()
                    async for record in records_in(consumer, spans):
                        await _hand_over(dispatch, record, wanted, delivery)
                        counted(record)
    _tell(wanted, counts, dry_run=dry_run, as_json=as_json)


async def _hand_over(
    dispatch: Dispatch, record: "ConsumerRecord[bytes, bytes]", wanted: Wanted, delivery: str
) -> None:
    origin = Origin(
        record.topic,
        record.partition,
        record.offset,
        subscription=wanted.subscription,
        delivery=delivery,
    )
    await dispatch.hand_over(record, wanted.service, origin)


async def chosen_spans(
    consumer: AIOKafkaConsumer, topic: str, wanted: Wanted
) -> dict[TopicPartition, Span]:
    """Return the first offset and the one past the last of each partition's wanted stretch."""
    whole = await spans_of(consumer, [topic])
    starts = await _offsets(consumer, whole, wanted.since)
    ends = (
        {tp: end for tp, (_, end) in whole.items()}
        if wanted.until is None
        else await _offsets(consumer, whole, wanted.until)
    )
    chosen = {
        tp: (max(start, starts[tp]), min(end, ends[tp])) for tp, (start, end) in whole.items()
    }
    return {tp: (start, end) for tp, (start, end) in chosen.items() if end > start}


async def _offsets(
    consumer: AIOKafkaConsumer, whole: dict[TopicPartition, Span], wanted: Place
) -> dict[TopicPartition, int]:
    if isinstance(wanted, int):
        return dict.fromkeys(whole, wanted)
    if not whole:
        return {}
    milliseconds = int(wanted.timestamp() * 1000)
    found = await consumer.offsets_for_times(dict.fromkeys(whole, milliseconds))
    # None: everything there is older than that.
    return {
        tp: end if (at := found.get(tp)) is None else at.offset for tp, (_, end) in whole.items()
    }


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _tell(wanted: Wanted, counts: Counter[str], *, dry_run: bool, as_json: bool) -> None:
    total = counts.total()
    if as_json:
        told: dict[str, Any] = {
            "topic": wanted.topic,
            "service": wanted.service,
            "subscription": wanted.subscription or None,
            "records": total,
            "by_type": dict(sorted(counts.items())),
            "handed_over": not dry_run,
        }
        sys.stdout.write(json.dumps(told) + "\n")
        return
    for kind, count in sorted(counts.items()):
        sys.stdout.write(f"{count:>12,}  {kind}\n")
    sys.stdout.write(
        f"{total:,} records of {wanted.topic} would be handed to {wanted.service}.\n"
        if dry_run
        else f"{total:,} records of {wanted.topic} were handed to {wanted.service}, which takes "
        "them from its retry topic; what it has handled before changes nothing.\n"
    )
