"""Where operators read the dead letters, hand records to services again, and leave their word."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from chassis import letters as said
from contracts.topics import DEAD_LETTER_DECISIONS, DEAD_LETTERS, retry_topic
from textmanager.dlq_letters import Decision, Letter, decision_in, gathered, operator
from textmanager.errors import UserError
from textmanager.eventlog import log_reader, records_in, silent, spans_of

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

AT_ONCE = 200
MOST_BYTES = 2 * 1024 * 1024


class Dispatch:
    """Hands records to services' retry topics; the broker has them by the next `settle`."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._under_way: list[asyncio.Future[object]] = []

    async def hand_over(
        self, record: "ConsumerRecord[bytes, bytes]", service: str, origin: said.Origin
    ) -> None:
        """Give a service a record once more, under its own id."""
        headers = [*said.own_headers(record.headers), *origin.as_headers()]
        await self._send(retry_topic(service), record.key, record.value, headers)

    async def record(self, decision: Decision) -> None:
        """Leave an operator's word for ever."""
        await self._send(
            DEAD_LETTER_DECISIONS,
            str(decision.letter).encode(),
            decision.model_dump_json().encode(),
            [("content-type", b"application/json")],
        )

    async def settle(self) -> None:
        """Wait until the broker has everything."""
        under_way, self._under_way = self._under_way, []
        await asyncio.gather(*under_way)

    async def _send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]],
    ) -> None:
        if len(self._under_way) >= AT_ONCE:
            await self.settle()
        self._under_way.append(
            await self._producer.send(self._prefix + topic, key=key, value=value, headers=headers)
        )


class Desk:
    """The dead letters of one installation."""

    def __init__(self, kafka_url: str, *, prefix: str = "") -> None:
        self.kafka_url = kafka_url
        self.prefix = prefix

    async def letters(self) -> list[Letter]:
        """Return each failure once, with what was decided of it."""
        async with log_reader(self.kafka_url) as consumer:
            return await self.letters_seen_by(consumer)

    async def letters_seen_by(self, consumer: AIOKafkaConsumer) -> list[Letter]:
        """Return each failure once; the letters themselves are not kept in memory."""
        decisions = [
            decision
            async for record in self._records(consumer, DEAD_LETTER_DECISIONS)
            if (decision := decision_in(record)) is not None
        ]

        async def found() -> AsyncIterator[Letter]:
            async for record in self._records(consumer, DEAD_LETTERS):
                yield Letter.of(record, prefix=self.prefix)

        return list((await gathered(found(), decisions)).values())

    async def _records(
        self, consumer: AIOKafkaConsumer, topic: str
    ) -> AsyncIterator["ConsumerRecord[bytes, bytes]"]:
        spans = await spans_of(consumer, [self.prefix + topic])
        async for record in records_in(consumer, spans):
            yield record

    async def record_of(self, number: int) -> "ConsumerRecord[bytes, bytes]":
        """Return one letter as it lies there."""
        place = TopicPartition(self.prefix + DEAD_LETTERS, 0)
        async with log_reader(self.kafka_url) as consumer:
            start, end = (await spans_of(consumer, [place.topic])).get(place, (0, 0))
            if start <= number < end:
                async for record in records_in(consumer, {place: (number, number + 1)}):
                    return record
        raise unknown([number])

    async def decide(
        self, letters: Collection[Letter], decision: Literal["replayed", "dropped"], why: str = ""
    ) -> None:
        """Record a decision on each letter; a replayed one is with its service before."""
        known = 1 + max((max(letter.numbers) for letter in letters), default=-1)
        async with log_reader(self.kafka_url) as consumer, self.dispatch() as dispatch:
            spans = await spans_of(consumer, [self.prefix + DEAD_LETTERS])
            known = max([known, *(end for _, end in spans.values())])
            if decision == "replayed":
                await self._hand_over(consumer, dispatch, letters)
                # A word on what has not arrived would hide it; arriving twice hides nothing.
                await dispatch.settle()
            for letter in letters:
                await dispatch.record(
                    Decision(
                        letter=letter.number,
                        decision=decision,
                        at=datetime.now(UTC),
                        by=operator(),
                        why=why,
                        letters_known=known,
                    )
                )

    async def _hand_over(
        self, consumer: AIOKafkaConsumer, dispatch: Dispatch, letters: Collection[Letter]
    ) -> None:
        wanted = {letter.number: letter for letter in letters}
        place = TopicPartition(self.prefix + DEAD_LETTERS, 0)
        span = {place: (min(wanted), max(wanted) + 1)}
        delivery = said.new_delivery()
        async for record in records_in(consumer, span):
            letter = wanted.get(record.offset)
            if letter is not None:
                origin = replace(said.told(record), letter=str(letter.number), delivery=delivery)
                await dispatch.hand_over(record, letter.service, origin)

    @asynccontextmanager
    async def dispatch(self) -> AsyncIterator[Dispatch]:
        """Lend the means to hand records over; at the end the broker has them all."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.kafka_url,
            client_id="textmanager-operator",
            acks="all",
            enable_idempotence=True,
            max_request_size=MOST_BYTES,
        )
        try:
            await producer.start()
            dispatch = Dispatch(producer, self.prefix)
            yield dispatch
            await dispatch.settle()
        except (KafkaError, OSError) as error:
            raise silent(self.kafka_url) from error
        finally:
            await producer.stop()


def unknown(numbers: Collection[int]) -> UserError:
    """Say that there are no such letters."""
    named = ", ".join(str(number) for number in sorted(numbers))
    return UserError(f"There is no dead letter {named}: `textmanager dlq list --all` shows all.")
