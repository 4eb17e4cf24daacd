"""How many events a second the projections take, from the records' bytes to the commit.

Run: python -m benchmarks.bench_projections [messages]

Three ways: as the service takes them, type after type (nothing of a message comes together); as
the service takes them in the log's order; and as a rebuild takes them, in the log's order and in
large batches. Nothing is read from Kafka here: see tests/integration/test_rebuild.py for the whole.
"""

import gc
import itertools
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import uvloop
from aiokafka import ConsumerRecord
from pydantic import SecretStr
from tests.projections import facts as ours
from tests.status import facts

from chassis.batches import BatchHandling, sort_out
from chassis.instants import now
from chassis.letters import Record
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import encode, seal
from contracts.events.base import Event
from contracts.events.message import MessageStatus
from projections import rebuilding
from projections.adapters.generation import fill, store_of
from projections.subscribers import subscriptions

AT_ONCE = 2000
PAGE = 500
TOGETHER = 1000
"""So many messages have their events between each other's in the log's order."""


def records(events: Iterable[Event]) -> list[Record]:
    made = []
    for offset, event in enumerate(events):
        key, value, headers = encode(seal(event))
        made.append(
            ConsumerRecord(
                event.topic, 0, offset, 0, 0, key, value, None, len(key), len(value), headers
            )
        )
    return made


def tell(name: str, took: float, used: float, events: int) -> None:
    print(f"{name:28} {events / took:8,.0f} events/s  {used / events * 1e6:6.1f} us CPU an event")


def by_type(messages: int) -> dict[str, list[Record]]:
    rows = range(1, messages + 1)
    pages = [rows[first : first + PAGE] for first in range(0, messages, PAGE)]
    return {
        "pages": records(facts.page(page, sequence=n) for n, page in enumerate(pages, 1)),
        "message.queued": records(facts.queued(row) for row in rows),
        "message.submitted": records(facts.submitted(row) for row in rows),
        "status sent": records(ours.status(row, 1, MessageStatus.SENT) for row in rows),
        "status delivered": records(ours.status(row, 2, MessageStatus.DELIVERED) for row in rows),
        "activity.written": records(ours.written(row) for row in rows),
    }


def as_in_the_log(steps: dict[str, list[Record]]) -> list[Record]:
    """The pages first, then thousand by thousand what becomes of the messages."""
    pages, *others = steps.values()
    count = len(others[0])
    return pages + [
        record
        for first in range(0, count, TOGETHER)
        for step in others
        for record in step[first : first + TOGETHER]
    ]


async def measured(
    name: str,
    taken: Sequence[Record],
    at_once: int,
    take: Callable[[list[Record]], Awaitable[None]],
) -> None:
    gc.collect()
    # The records are the benchmark's own; a service doesn't hold fifty thousand of them.
    gc.freeze()
    began, cpu = time.perf_counter(), time.process_time()
    for first in itertools.count(0, at_once):
        if not (batch := list(taken[first : first + at_once])):
            break
        await take(batch)
    tell(name, time.perf_counter() - began, time.process_time() - cpu, len(taken))


async def service(folder: Path) -> tuple[Store, BatchHandling]:
    settings = ServiceSettings(
        kafka_url="127.0.0.1:1", database_url=f"sqlite:///{folder}", secret_key=SecretStr("x")
    )
    store = store_of(settings, 1)
    await store.create_tables()
    messages = subscriptions(events_at_once=AT_ONCE)[1]
    return store, BatchHandling(messages, store, service="projections", prefix="")


async def main(messages: int) -> None:
    steps = by_type(messages)
    log = as_in_the_log(steps)
    with tempfile.TemporaryDirectory() as folder:
        store, handling = await service(Path(folder) / "1")
        for name, step in steps.items():
            await measured(f"service: {name}", step, AT_ONCE, handling.handle)
        await store.stop()
        for name in ("type after type", "the log's order"):
            store, handling = await service(Path(folder) / name)
            taken = log if "log" in name else [each for step in steps.values() for each in step]
            await measured(f"service, {name}", taken, AT_ONCE, handling.handle)
            await store.stop()
        store, _ = await service(Path(folder) / "3")

        async def rebuilt(batch: list[Record]) -> None:
            items, _ = sort_out(batch, rebuilding.EVERYTHING)
            events = [each.envelope for each in items]
            await fill(store, events, [], known={}, reached={}, at=now())

        with rebuilding.collector_at_ease():
            await measured("rebuild, the log's order", log, rebuilding.AT_ONCE, rebuilt)
        await store.stop()


if __name__ == "__main__":
    uvloop.run(main(int([*sys.argv[1:], "20000"][0])))
