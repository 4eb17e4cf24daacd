"""How far consumers are behind: from a service's metrics, or from Kafka's own offsets."""

import re

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

GAUGE = re.compile(r"^textmanager_consumer_lag(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)


def from_metrics(exposition: str) -> int | None:
    """The sum of the lag gauges in a Prometheus text; None when there is none."""
    values = [float(value) for value in GAUGE.findall(exposition)]
    return int(sum(values)) if values else None


async def from_kafka(bootstrap: str) -> dict[str, int]:
    """Each consumer group's committed lag, over all of its topics; none while Kafka is away."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await consumer.start()
        lags: dict[str, int] = {}
        for group, *_ in await admin.list_consumer_groups():
            committed = await admin.list_consumer_group_offsets(group)
            ends = await consumer.end_offsets(list(committed)) if committed else {}
            lags[str(group)] = sum(
                max(0, ends[partition] - at.offset) for partition, at in committed.items()
            )
        return lags
    except (KafkaError, OSError):
        return {}
    finally:
        await consumer.stop()
        await admin.close()
