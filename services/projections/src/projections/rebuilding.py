"""Fills the next generation of the read models from the log, and lets it serve.

It may be stopped or killed at any moment and called again: how far a generation is filled stands
in its own tables, in the transaction that filled it, and nobody reads it before the one switch.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta

from aiokafka.errors import KafkaError

from chassis.batches import Item, is_outage, sort_out
from chassis.instants import now
from chassis.letters import Record, event_id_of
from chassis.settings import ServiceSettings
from chassis.store import Store
from chassis.subscription import Subscription, Taken
from projections.adapters.bookkeeping import Place
from projections.adapters.generation import (
    Overtaken,
    carry_letters,
    fill,
    gaps,
    open_generation,
    positions,
    seal,
    settle,
    store_of,
)
from projections.adapters.log import LogReader, LogSilent, hand_over
from projections.comparison import Difference, compare
from projections.progress import Progress, Rebuilt, Report
from projections.subscribers import (
    CONSENT_TYPES,
    MESSAGE_TYPES,
    RUN_TYPES,
    SKIPPED,
    TOPICS_OF,
    group,
    project,
)
from readmodels.generations import Pointer, existing, remove
from readmodels.tables import READ_MODELS

AT_ONCE = 20_000
"""How many events one transaction takes."""
NEAR = 5_000
"""So few events behind the tables that serve, these are sealed for the last steps."""
FAR = 100_000
"""So many events behind the log's end, the tables that serve are no longer kept up to date."""
SEALED_SECONDS = 60.0
FOLLOWING_SECONDS = 60.0
"""So long after a switch somebody may still use what served before it, and finish there: a reader
that is about to look, a process that stops and publishes what it has said."""
EVERYTHING = Subscription(
    "projections.rebuild",
    tuple(topic for topics in TOPICS_OF.values() for topic in topics),
    dict.fromkeys((*RUN_TYPES, *MESSAGE_TYPES, *CONSENT_TYPES), project),
    skips=SKIPPED,
)


async def rebuild(
    settings: ServiceSettings, *, report: Report = lambda _: None, tables: Sequence[str] = ()
) -> Rebuilt:
    """Rebuild all read models and let them serve; compares these tables with the former ones.

    Raises `LogSilent` when Kafka doesn't answer, `Overtaken` when another rebuild is under way.
    """
    pointer = Pointer(settings)
    try:
        former = await pointer.generation()
        generation = former + 1
        removed = await _remove_all_but(settings, {former, generation}, pointer)
        async with _opened(settings, former) as old, _opened(settings, generation) as new:
            rebuilding = _Rebuilding(settings, old, new, report)
            with collector_at_ease():
                differences = await rebuilding.run(pointer, generation, tables)
            async with new.read() as connection:
                lost = await gaps(connection)
        return Rebuilt(
            former=former,
            generation=generation,
            events=rebuilding.done,
            seconds=rebuilding.seconds,
            gaps=lost,
            ahead=rebuilding.ahead,
            differences=differences,
            removed=removed,
        )
    except (KafkaError, TimeoutError) as error:
        raise LogSilent from error
    finally:
        await pointer.close()


async def _remove_all_but(settings: ServiceSettings, kept: set[int], pointer: Pointer) -> list[int]:
    """Remove the generations that nobody can use any more; leave them while that isn't sure."""
    since = await pointer.since()
    if since is not None and now() - since < timedelta(seconds=FOLLOWING_SECONDS):
        return []
    removed = [each for each in await existing(settings) if each not in kept]
    for each in removed:
        await remove(settings, each)
    return removed


@asynccontextmanager
async def _opened(settings: ServiceSettings, generation: int) -> AsyncIterator[Store]:
    store = store_of(settings, generation)
    await store.create_tables()
    await open_generation(store)
    try:
        yield store
    finally:
        await store.stop()


class _Rebuilding:
    """One call of a rebuild."""

    def __init__(self, settings: ServiceSettings, old: Store, new: Store, report: Report) -> None:
        self._settings = settings
        self._old = old
        self._new = new
        self._report = report
        topics = [settings.topic(each) for each in EVERYTHING.topics]
        self._log = LogReader(settings.kafka_url, topics)
        self._known: dict[Place, int] = {}
        self._began = time.monotonic()
        self.seconds = 0.0
        self.done = 0
        self.ahead = 0

    async def run(
        self, pointer: Pointer, generation: int, tables: Sequence[str]
    ) -> list[Difference]:
        """Fill the new generation, switch, and compare the two as of one point of the log."""
        async with self._new.read() as connection:
            self._known = await positions(connection)
        try:
            await self._log.start(self._known)
            while self._left(until := await self._served()) > NEAR:
                await self._fill(until)
            return await self._switch(pointer, generation, tables)
        finally:
            await self._log.stop()

    async def _switch(
        self, pointer: Pointer, generation: int, tables: Sequence[str]
    ) -> list[Difference]:
        await seal(self._old, until=now() + timedelta(seconds=SEALED_SECONDS))
        switched = False
        try:
            served = await self._served()
            await self._fill(served)
            self.ahead = sum(max(0, at - served.get(place, 0)) for place, at in self._known.items())
            async with AsyncExitStack() as stack:
                # Both pictures are of the same point of the log, whatever is written afterwards.
                before = await stack.enter_async_context(self._old.read())
                after = await stack.enter_async_context(self._new.read())
                for connection in (before, after):
                    await positions(connection)
                wanted = [each for each in READ_MODELS if not tables or each.name in tables]
                ends = await self._log.ends()
                differences: list[Difference] = []
                if self._left(ends) > FAR:
                    # Nobody keeps the former tables up to date: there is no hurry to switch, and
                    # a picture that is held for long holds up the database's tidying.
                    differences = [await compare(before, after, each) for each in wanted]
                await self._fill(ends)
                await carry_letters(self._old, self._new)
                await settle(self._settings, generation)
                await self._hand_over(generation)
                await pointer.point_to(generation, at=now())
                switched = True
                self.seconds = time.monotonic() - self._began
                return differences or [await compare(before, after, each) for each in wanted]
        finally:
            if not switched:
                await seal(self._old, until=None)

    async def _served(self) -> dict[Place, int]:
        """Return how far the tables that serve reach."""
        async with self._old.read() as connection:
            return await positions(connection)

    def _left(self, until: dict[Place, int]) -> int:
        return sum(max(0, until.get(place, 0) - at) for place, at in self._log.at.items())

    async def _fill(self, until: dict[Place, int]) -> None:
        """Take the log up to there; the next records are read while the last are written."""
        writing: asyncio.Task[None] | None = None
        try:
            while records := await self._log.read(until, at_most=AT_ONCE):
                items, dead = sort_out(records, EVERYTHING)
                lost = [_taken(each.record, given_up=each.reason) for each in dead]
                reached = dict(self._log.at)
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._write(items, lost, reached, len(records)))
                self._report(Progress(self.done, self._left(until), time.monotonic() - self._began))
            if writing is not None:
                await writing
        except BaseException:
            if writing is not None:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            raise
        self._report(Progress(self.done, self._left(until), time.monotonic() - self._began))

    async def _write(
        self, items: list[Item], lost: list[Taken], reached: dict[Place, int], count: int
    ) -> None:
        """Write a batch, then how far the log is read; what can't be projected is a gap."""
        moved = {place: at for place, at in reached.items() if at != self._known.get(place, 0)}
        await self._single_out(items, lost, moved)
        self._known = self._known | moved
        self.done += count

    async def _single_out(
        self, items: list[Item], lost: list[Taken], moved: dict[Place, int]
    ) -> None:
        """Write a batch; if an event prevents that, halve until it stands alone.

        How far the log is read is written last: what was written before it changes nothing when
        it comes again.
        """
        try:
            events = [item.envelope for item in items]
            await fill(self._new, events, lost, known=self._known, reached=moved, at=now())
        except Exception as error:
            if not items or isinstance(error, Overtaken) or is_outage(error):
                raise
            if len(items) == 1:
                bad = _taken(items[0].record, given_up="handler_failed")
                await self._single_out([], [*lost, bad], moved)
                return
            middle = len(items) // 2
            await self._single_out(items[:middle], lost, {})
            await self._single_out(items[middle:], [], moved)

    async def _hand_over(self, generation: int) -> None:
        """Let the service's consumers go on where the tables end."""
        for name, topics in TOPICS_OF.items():
            theirs = {self._settings.topic(topic) for topic in topics}
            await hand_over(
                self._settings.kafka_url,
                self._settings.topic_prefix + group(name, generation),
                {place: at for place, at in self._log.at.items() if place[0] in theirs},
            )


def _taken(record: Record, *, given_up: str) -> Taken:
    return Taken(
        record.topic, record.partition, record.offset, given_up, event_id_of(record.headers)
    )


@contextmanager
def collector_at_ease() -> Iterator[None]:
    """Let the collector look less often: a batch makes many things at once, and no cycles."""
    usual = gc.get_threshold()
    gc.set_threshold(500_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
