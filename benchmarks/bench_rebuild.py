"""How many events a second a rebuild takes, from a real Kafka to the switch.

Run: python -m benchmarks.bench_rebuild [messages]

It starts a Kafka of its own, publishes what becomes of so many messages in the log's order, and
rebuilds the read models from it, as after their loss.
"""

import asyncio
import sys
import tempfile
import time
import uuid
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from benchmarks.bench_projections import as_in_the_log, by_type
from cryptography.fernet import Fernet
from pydantic import SecretStr

from chassis.letters import Record
from chassis.settings import ServiceSettings
from contracts.topics import TOPICS
from projections.rebuilding import rebuild
from textmanager.engines.shared import shared


async def publish(kafka_url: str, prefix: str, records: list[Record]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + each.name, each.partitions, 1) for each in TOPICS])
    await admin.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka_url, linger_ms=5, max_batch_size=262_144, acks="all"
    )
    await producer.start()
    for first in range(0, len(records), 2000):
        sent = [
            await producer.send(
                prefix + each.topic, key=each.key, value=each.value, headers=list(each.headers)
            )
            for each in records[first : first + 2000]
        ]
        await asyncio.gather(*sent)
    await producer.stop()


async def main(kafka_url: str, folder: Path, messages: int) -> None:
    prefix = f"b-{uuid.uuid4().hex[:8]}."
    records = as_in_the_log(by_type(messages))
    await publish(kafka_url, prefix, records)
    count = len(records)
    del records
    settings = ServiceSettings(
        kafka_url=kafka_url,
        database_url=f"sqlite:///{folder / 'data'}",
        secret_key=SecretStr(Fernet.generate_key().decode()),
        topic_prefix=prefix,
    )
    cpu = time.process_time()
    result = await rebuild(settings)
    used = time.process_time() - cpu
    assert result.events == count, result
    print(
        f"{result.events} events in {result.seconds:.1f} s: {count / result.seconds:,.0f} "
        f"events/s, {used / count * 1e6:.1f} us CPU an event"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        with shared("kafka", place / "kafka") as url:
            uvloop.run(main(url, place, int([*sys.argv[1:], "50000"][0])))
