"""Settings and a log for services under test; each test has its own topics and databases."""

from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from cryptography.fernet import Fernet
from pydantic import SecretStr
from tests.harness import Log

from chassis.settings import ServiceSettings
from contracts.topics import TOPICS


@pytest.fixture
async def service_settings(
    kafka_url: str, topic_prefix: str, database_url: str
) -> AsyncIterator[ServiceSettings]:
    """Settings of a service on the real broker, with topics and databases of this test's own."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    try:
        await admin.create_topics(
            [
                NewTopic(topic_prefix + topic.name, topic.partitions, 1, topic_configs=topic.config)
                for topic in TOPICS
            ]
        )
        yield ServiceSettings(
            kafka_url=kafka_url,
            database_url=database_url,
            secret_key=SecretStr(Fernet.generate_key().decode()),
            instance="under-test-1",
            topic_prefix=topic_prefix,
        )
        await admin.delete_topics([topic_prefix + topic.name for topic in TOPICS])
    finally:
        await admin.close()


@pytest.fixture
async def log(service_settings: ServiceSettings) -> AsyncIterator[Log]:
    """The log of this test."""
    log = Log(service_settings.kafka_url, service_settings.topic_prefix)
    await log.start()
    yield log
    await log.stop()
