"""How many events a second the projections take, from the records' bytes to the commit.

Run: python benchmarks/bench_projections.py [messages]
"""

import gc
import itertools
import sys
import tempfile
import time
from collections.abc import Iterable

import uvloop
from aiokafka import ConsumerRecord
from pydantic import SecretStr
from tests.projections import facts as ours
from tests.status import facts

from chassis.batches import BatchHandling
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import encode, seal
from contracts.events.base import Event
from contracts.events.message import MessageStatus
from projections.subscribers import subscriptions
from readmodels.tables import METADATA, STORE_NAME

AT_ONCE = 2000
PAGE = 500


def records(events: Iterable[Event]) -> list["ConsumerRecord[bytes, bytes]"]:
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
    print(f"{name:20} {events / took:8,.0f} events/s  {used / events * 1e6:6.1f} us CPU an event")


async def main(messages: int) -> None:
    rows = range(1, messages + 1)
    pages = [rows[first : first + PAGE] for first in range(0, messages, PAGE)]
    steps = {
        "pages": records(facts.page(page, sequence=n) for n, page in enumerate(pages, 1)),
        "message.queued": records(facts.queued(row) for row in rows),
        "message.submitted": records(facts.submitted(row) for row in rows),
        "status sent": records(ours.status(row, 1, MessageStatus.SENT) for row in rows),
        "status delivered": records(ours.status(row, 2, MessageStatus.DELIVERED) for row in rows),
        "activity.written": records(ours.written(row) for row in rows),
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = ServiceSettings(
            kafka_url="127.0.0.1:1", database_url=f"sqlite:///{folder}", secret_key=SecretStr("x")
        )
        store = Store(settings, name=STORE_NAME, metadata=METADATA)
        await store.start()
        handling = BatchHandling(
            subscriptions(events_at_once=AT_ONCE)[1], store, service="projections", prefix=""
        )
        # The records are the benchmark's own; a service doesn't hold fifty thousand of them.
        gc.freeze()
        began, cpu, count = time.perf_counter(), time.process_time(), 0
        for name, step in steps.items():
            at, own = time.perf_counter(), time.process_time()
            for first in itertools.count(0, AT_ONCE):
                if not (batch := step[first : first + AT_ONCE]):
                    break
                await handling.handle(batch)
            count += len(step)
            tell(name, time.perf_counter() - at, time.process_time() - own, len(step))
        took, used = time.perf_counter() - began, time.process_time() - cpu
        tell("all", took, used, count)
        print(f"{took / messages * 1e6:.0f} us a message, {used / messages * 1e6:.0f} us CPU")
        await store.stop()


if __name__ == "__main__":
    uvloop.run(main(int([*sys.argv[1:], "20000"][0])))
