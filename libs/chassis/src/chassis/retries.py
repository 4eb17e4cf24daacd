"""The retry topic: what an operator hands over once more is handled as it would have been.

A record names the subscription that failed, or the topic that it came from. It goes through the
same handlers, in the same kind of transaction; if it fails again it is a dead letter again.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from chassis.batches import GIVE_BACK_SECONDS, BatchHandling, Dead
from chassis.letters import Origin, Record, told
from chassis.store import Store
from chassis.subscription import Subscription

NO_SUCH_SUBSCRIPTION = "no_such_subscription"
MAX_RECORDS = 200


class RetryHandling:
    """Hands the records of a service's retry topic to the subscriptions that they are for."""

    def __init__(
        self,
        name: str,
        subscriptions: Sequence[Subscription],
        store: Store,
        *,
        service: str,
        prefix: str,
    ) -> None:
        self._subscriptions = subscriptions
        self._prefix = prefix
        self._handlings = {
            each.name: BatchHandling(each, store, service=service, prefix=prefix, origin_of=told)
            for each in (*subscriptions, Subscription(name, (), {}))
        }
        self._nobody = self._handlings[name]

    def stop_waiting(self) -> None:
        """Wait out no outage any more: the process is about to end."""
        for handling in self._handlings.values():
            handling.stop_waiting()

    async def handle(self, records: Sequence[Record]) -> None:
        """Commit what the records say to each subscription; raises `GiveBack` as it does."""
        deadline = time.monotonic() + GIVE_BACK_SECONDS
        chosen: dict[str, list[Record]] = {}
        homeless: list[Dead] = []
        for record in records:
            origin = told(record)
            names = [each.name for each in self._subscriptions if self._is_for(origin, each)]
            for name in names:
                chosen.setdefault(name, []).append(record)
            if not names:
                homeless.append(Dead(record, NO_SUCH_SUBSCRIPTION))
        await self._nobody.give_up(homeless, deadline=deadline)
        for subscription in self._subscriptions:
            for batch in _batches(chosen.get(subscription.name, ()), subscription.max_records):
                await self._handlings[subscription.name].handle(batch, deadline=deadline)

    def _is_for(self, origin: Origin, subscription: Subscription) -> bool:
        if origin.subscription:
            return subscription.name == origin.subscription
        return origin.topic in {self._prefix + topic for topic in subscription.topics}


def _batches(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    left = iter(records)
    while batch := list(islice(left, size)):
        yield batch
