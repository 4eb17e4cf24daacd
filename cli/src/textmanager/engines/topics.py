"""Creates the topics that the contracts declare."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Protocol

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from textmanager.errors import UserError

TOPIC_ALREADY_EXISTS = 36
LEADER_TIMEOUT_SECONDS = 30.0
SAFE_REPLICATION = 3


class TopicSpec(Protocol):
    """A topic as the broker must have it."""

    @property
    def name(self) -> str:
        """The topic's name."""

    @property
    def partitions(self) -> int:
        """How many partitions it has."""

    @property
    def config(self) -> Mapping[str, str]:
        """Its settings, under Kafka's names."""


async def create_topics(
    bootstrap: str,
    topics: Iterable[TopicSpec],
    *,
    prefix: str = "",
    replication_factor: int = 1,
) -> list[str]:
    """Create the topics that are missing and return their names; existing ones stay as they are.

    Returns once every topic has a leader for each partition, so that a first publish is not
    kept waiting. Harmless to repeat, and for several to do at once. Raises UserError when nobody
    answers, or when it is refused.
    """
    wanted = {f"{prefix}{topic.name}": topic for topic in topics}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="textmanager-cli")
    try:
        await admin.start()
        missing = sorted(wanted.keys() - set(await admin.list_topics()))
        if missing:
            answer = await admin.create_topics(
                [
                    NewTopic(
                        name,
                        wanted[name].partitions,
                        replication_factor,
                        topic_configs=_config(wanted[name], replication_factor),
                    )
                    for name in missing
                ]
            )
            _raise_for_errors(answer.topic_errors)
            await _wait_for_leaders(admin, missing)
        return missing
    except (KafkaError, OSError) as error:
        raise UserError(
            f"Kafka at {bootstrap} does not answer ({type(error).__name__}): start it, or correct "
            "TEXTMANAGER_KAFKA_URL."
        ) from error
    finally:
        await admin.close()


def _config(topic: TopicSpec, replication_factor: int) -> dict[str, str]:
    """What is acknowledged must survive the loss of a node, wherever there is more than one."""
    config = dict(topic.config)
    if replication_factor >= SAFE_REPLICATION:
        config["min.insync.replicas"] = "2"
    return config


def _raise_for_errors(topic_errors: Iterable[tuple[object, ...]]) -> None:
    refused = [row for row in topic_errors if row[1] not in {0, TOPIC_ALREADY_EXISTS}]
    if refused:
        name, code, *words = refused[0]
        raise UserError(
            f"Kafka refused to create the topic {name} (error {code}: {' '.join(map(str, words))}):"
            " create it by hand with the settings in docs/architecture.md, or give the user the"
            " right to."
        )


async def _wait_for_leaders(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    deadline = time.monotonic() + LEADER_TIMEOUT_SECONDS
    while True:
        described = await admin.describe_topics(names)
        if all(
            topic["error_code"] == 0
            and topic["partitions"]
            and all(part["leader"] >= 0 for part in topic["partitions"])
            for topic in described
        ):
            return
        if time.monotonic() > deadline:
            raise UserError(
                f"Kafka did not give the new topics a leader within {LEADER_TIMEOUT_SECONDS:.0f} s:"
                " see its log, and start again."
            )
        await asyncio.sleep(0.05)
