"""Asks Twilio about the messages whose end nobody reported.

One process asks for an account at a time. What an answer tells is published, and taken from the
log like a report: nothing is changed here but when to ask again.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from status.domain.looking import Answer
from status.ports import Account, AccountAway, AccountRefused, Accounts, Crowd, Lookouts, Watch

CLOCK_SKEW = timedelta(minutes=2)
"""How far Twilio's clock may be off ours: a listing begins so much earlier."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How an account is asked."""

    lease: timedelta
    back_off: timedelta
    refused_wait: timedelta
    list_from: int
    ask_at_once: int
    together: int
    """How many questions are under way at a time."""


class Sweep:
    """Goes through what is due, organisation by organisation, none waiting for another."""

    def __init__(
        self,
        *,
        lookouts: Lookouts,
        accounts: Accounts,
        watch: Watch,
        manners: Manners,
        clock: Callable[[], datetime],
    ) -> None:
        self._lookouts = lookouts
        self._accounts = accounts
        self._watch = watch
        self._manners = manners
        self._clock = clock
        self._refused: set[UUID] = set()

    async def step(self) -> bool:
        """Ask a portion of what is due; returns whether there may be more."""
        organizations = await self._lookouts.due_organizations(at=self._clock())
        more = await asyncio.gather(*(self._sweep(each) for each in organizations))
        return any(more)

    async def _sweep(self, organization_id: UUID) -> bool:
        if not await self._go_on(organization_id):
            return False
        try:
            account = await self._accounts.of(organization_id)
            more = await self._ask_portion(organization_id, account)
        except AccountRefused:
            if organization_id not in self._refused:
                self._refused.add(organization_id)
                self._watch.account_refused(organization_id)
            await self._rest(organization_id, self._manners.refused_wait)
            return False
        except AccountAway as away:
            pause = away.seconds or self._manners.back_off.total_seconds()
            await self._rest(organization_id, timedelta(seconds=pause))
            return False
        self._refused.discard(organization_id)
        await self._rest(organization_id, timedelta())
        return more

    async def _ask_portion(self, organization_id: UUID, account: Account) -> bool:
        due = self._clock()
        crowd = await self._lookouts.crowd(organization_id, at=due, least=self._manners.list_from)
        if crowd is not None:
            await self._ask_for_all(organization_id, account, crowd, due=due)
        limit = self._manners.ask_at_once
        sids = await self._lookouts.due(organization_id, at=due, limit=limit)
        waiting = iter(sids)
        while some := list(islice(waiting, self._manners.together)):
            if not await self._go_on(organization_id):
                return False
            await self._ask_each(organization_id, account, some, due=due)
        return len(sids) == limit

    async def _ask_for_all(
        self, organization_id: UUID, account: Account, crowd: Crowd, *, due: datetime
    ) -> None:
        """List the number's texts, as long as each page saves its share of single questions."""
        pages_left = max(1, crowd.due // self._manners.list_from)
        listing = account.sent_from(crowd.from_number, crowd.oldest_sent_at - CLOCK_SKEW)
        async with aclosing(listing) as pages:
            async for page in pages:
                await self._lookouts.take(organization_id, page, due=due, at=self._clock())
                pages_left -= 1
                if not pages_left or not await self._go_on(organization_id):
                    return

    async def _ask_each(
        self, organization_id: UUID, account: Account, sids: Sequence[str], *, due: datetime
    ) -> None:
        """Ask for each text; one that gets no answer must not keep the others from theirs."""
        asked = await asyncio.gather(*(account.ask(each) for each in sids), return_exceptions=True)
        answers = [each for each in asked if isinstance(each, Answer)]
        at = self._clock()
        await self._lookouts.take(organization_id, answers, due=due, at=at)
        answered = {each.sid for each in answers}
        unanswered = [each for each in sids if each not in answered]
        if unanswered:
            later = at + 2 * self._manners.back_off
            await self._lookouts.put_off(organization_id, unanswered, until=later)
            raise next(each for each in asked if isinstance(each, BaseException))

    async def _go_on(self, organization_id: UUID) -> bool:
        at = self._clock()
        until = at + self._manners.lease
        return await self._lookouts.lease(organization_id, at=at, until=until)

    async def _rest(self, organization_id: UUID, pause: timedelta) -> None:
        await self._lookouts.rest(organization_id, until=self._clock() + pause)
