"""Writes one organisation's activities: claim, act, record; and looks for those in doubt."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from chassis.logs import describe, get_logger
from contracts.events.campaign import Mode
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer import metrics
from imis_writer.domain.doubts import Candidate, recognise
from imis_writer.domain.effects import (
    Ambiguous,
    Doubtful,
    Effect,
    LoginRefused,
    Look,
    NoAnswer,
    NotTried,
    Outcome,
    Patience,
    State,
    Unneeded,
    resolve,
)
from imis_writer.domain.holds import Hold
from imis_writer.ports import Ledger, NoAccess, Organizations, Site, Sites
from imis_writer.settings import ImisWriterSettings

T = TypeVar("T")
R = TypeVar("R")
Answer = list[Candidate] | NoAnswer | LoginRefused


class OrganizationWriter:
    """Does one organisation's work, a batch at a step, so that none waits for another."""

    def __init__(
        self,
        organization_id: UUID,
        *,
        ledger: Ledger,
        sites: Sites,
        organizations: Organizations,
        settings: ImisWriterSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._organization_id = organization_id
        self._ledger = ledger
        self._sites = sites
        self._organizations = organizations
        self._settings = settings
        self._clock = clock
        self._hold = Hold()
        self._stopping = False
        self._free = asyncio.Semaphore(settings.connections)
        self._patience = Patience(
            timedelta(seconds=settings.first_look), timedelta(seconds=settings.second_look)
        )

    def stop(self) -> None:
        """Send nothing new; what was claimed and not sent is given back."""
        self._stopping = True

    async def step(self) -> bool:
        """Do a batch; returns whether there may be more to do at once."""
        organization = await self._organizations.get(self._organization_id)
        if organization is None or self._hold.holds(
            at=self._clock(), sequence=organization.sequence
        ):
            return False
        try:
            site = await self._sites.site(organization)
        except NoAccess as error:
            await self._follow([LoginRefused()], organization)
            get_logger().error(
                "The settings don't lead to an iMIS.",
                organization_id=str(self._organization_id),
                **describe(error),
            )
            return False
        looked = await self._look(site)
        wrote = await self._write(site, organization)
        await self._follow([*looked, *wrote], organization)
        return bool(looked or wrote)

    async def _write(self, site: Site, organization: OrganizationSettingsChanged) -> list[Outcome]:
        at = self._clock()
        lease_until = at + timedelta(seconds=self._settings.lease)
        effects = await self._ledger.claim(
            self._organization_id, at=at, lease_until=lease_until, limit=self._settings.claim
        )
        test_runs = organization.settings.write_test_runs

        async def act(effect: Effect) -> Outcome:
            if effect.mode is Mode.TEST and not test_runs:
                return Unneeded()
            async with self._free:
                return await self._post(site, effect, lease_until)

        # What no adapter foresaw may have happened after the request had left.
        unforeseen: Outcome = Doubtful()
        outcomes = await _each(act, effects, unforeseen=unforeseen)
        await self._record(effects, outcomes)
        return outcomes

    async def _post(self, site: Site, effect: Effect, lease_until: datetime) -> Outcome:
        """Write one activity, and surely have stopped trying when the lease ends."""
        left = (lease_until - self._clock()).total_seconds()
        if self._stopping or left < self._settings.request_timeout:
            return NotTried()
        try:
            async with asyncio.timeout(left):
                return await site.write(effect)
        except TimeoutError:
            return Doubtful()

    async def _look(self, site: Site) -> list[Look | LoginRefused]:
        doubts = await self._ledger.doubts(
            self._organization_id, at=self._clock(), limit=self._settings.claim
        )
        if not doubts:
            return []
        members = list(dict.fromkeys(each.imis_id for each in doubts))

        async def ask(imis_id: str) -> Answer:
            async with self._free:
                return await site.find(imis_id)

        unforeseen: Answer = NoAnswer()
        found = await _each(ask, members, unforeseen=unforeseen)
        answers = dict(zip(members, found, strict=True))
        # Read after iMIS was: what is free then was free when iMIS answered.
        around = await self._ledger.around(self._organization_id, members)
        looks: list[Look] = []
        for effect in doubts:
            match answers[effect.imis_id]:
                case list(candidates):
                    looks.append(recognise(effect, candidates, around))
                case NoAnswer(wait_seconds):
                    looks.append(NoAnswer(wait_seconds))
                case _:
                    looks.append(NoAnswer())
        await self._record(doubts, looks)
        refusals = [each for each in answers.values() if isinstance(each, LoginRefused)]
        return [*looks, *refusals]

    async def _record(self, effects: Sequence[Effect], outcomes: Sequence[Outcome | Look]) -> None:
        at = self._clock()
        changes = [
            resolve(effect, outcome, at=at, patience=self._patience)
            for effect, outcome in zip(effects, outcomes, strict=True)
        ]
        await self._ledger.record(changes)
        for change, outcome in zip(changes, outcomes, strict=True):
            metrics.ACTIVITIES.labels(change.state.value).inc()
            if isinstance(outcome, Ambiguous):
                get_logger().error(
                    "Nobody can tell whether iMIS has an activity; a person has to look.",
                    organization_id=str(self._organization_id),
                    effect_id=str(change.effect.effect_id),
                    state=State.UNKNOWN.value,
                )

    async def _follow(
        self,
        outcomes: Sequence[Outcome | Look],
        organization: OrganizationSettingsChanged,
    ) -> None:
        """Leave iMIS alone after what it said, if need be."""
        if not outcomes:
            return
        self._hold = self._hold.after(
            outcomes,
            at=self._clock(),
            sequence=organization.sequence,
            login_pause=timedelta(seconds=self._settings.login_pause),
        )
        if any(isinstance(each, LoginRefused) for each in outcomes):
            # After the pause the password is tried once more.
            await self._sites.forget(self._organization_id)
            get_logger().error(
                "iMIS doesn't take the organisation's login; its activities wait.",
                organization_id=str(self._organization_id),
            )


async def _each(act: Callable[[T], Awaitable[R]], things: Sequence[T], *, unforeseen: R) -> list[R]:
    """Act on all at once; what fails in a way that nobody foresaw counts as `unforeseen`."""
    results: list[R] = []
    for each in await asyncio.gather(*map(act, things), return_exceptions=True):
        if isinstance(each, BaseException):
            get_logger().error("A request to iMIS failed unexpectedly.", **describe(each))
            results.append(unforeseen)
        else:
            results.append(each)
    return results
