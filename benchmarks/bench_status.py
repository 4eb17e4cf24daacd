"""What a fact costs the status service, from the record's bytes to the commit, without Kafka.

Run: python benchmarks/bench_status.py [messages]
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
from tests.status import facts

from chassis.batches import BatchHandling
from chassis.settings import ServiceSettings
from chassis.store import Store
from contracts.envelope import encode, seal
from contracts.events.base import Event
from contracts.events.message import Refused
from status.adapters.tables import METADATA
from status.subscribers import subscriptions

AT_ONCE = 1000


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


def tell(name: str, took: float, used: float, facts_taken: int) -> None:
    wall, cpu = took / facts_taken * 1e6, used / facts_taken * 1e6
    print(f"{name:20} {wall:6.0f} us a fact, {cpu:6.0f} us CPU")


async def main(messages: int) -> None:
    rows = range(1, messages + 1)
    every_row = range(1, 2 * messages + 1)
    steps = {
        "message.queued": records(facts.queued(row) for row in every_row),
        "message.submitted": records(facts.submitted(row) for row in rows),
        "callback sent": records(facts.callback(row, "sent") for row in rows),
        "callback delivered": records(facts.callback(row, "delivered") for row in rows),
        # Spread over their codes, so that no spike ends the counting of them.
        "refused": records(
            facts.submitted(row + messages, Refused(code=30000 + row)) for row in rows
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = ServiceSettings(
            kafka_url="127.0.0.1:1", database_url=f"sqlite:///{folder}", secret_key=SecretStr("x")
        )
        store = Store(settings, name="status", metadata=METADATA)
        await store.start()
        handling = BatchHandling(
            subscriptions(facts_at_once=AT_ONCE, patience=facts.PATIENCE)[1],
            store,
            service="status",
            prefix="",
        )
        # The records are the benchmark's own; a service doesn't hold forty thousand of them.
        gc.freeze()
        began, cpu = time.perf_counter(), time.process_time()
        for name, step in steps.items():
            at, own = time.perf_counter(), time.process_time()
            for first in itertools.count(0, AT_ONCE):
                if not (batch := step[first : first + AT_ONCE]):
                    break
                await handling.handle(batch)
            took, used = time.perf_counter() - at, time.process_time() - own
            tell(name, took, used, len(step))
        count = sum(map(len, steps.values()))
        took, used = time.perf_counter() - began, time.process_time() - cpu
        tell("all", took, used, count)
        await store.stop()


if __name__ == "__main__":
    uvloop.run(main(int([*sys.argv[1:], "10000"][0])))
