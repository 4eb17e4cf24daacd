"""Does what one organisation's iMIS needs: claim, act, record; and looks for what is in doubt."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chassis.logs import describe, get_logger
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from imis_writer import metrics
from imis_writer.domain.effects import About, Effect, State
from imis_writer.domain.holds import Hold, refused_login
from imis_writer.domain.outcomes import (
    Ambiguous,
    Doubtful,
    LoginRefused,
    Look,
    NotTried,
    Outcome,
    Patience,
    TooEarly,
    Unneeded,
    resolve,
)
from imis_writer.looking import act_on_all, look_for
from imis_writer.ports import Ledger, NoAccess, Organizations, Site, Sites
from imis_writer.settings import ImisWriterSettings

NO_ACCESS = "The iMIS URL or the stored password in the settings can't be used. Save them anew."


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
            timedelta(seconds=settings.first_look),
            timedelta(seconds=settings.second_look),
            refusals=settings.refusals,
            again=timedelta(seconds=settings.refusal_pause),
        )

    def stop(self) -> None:
        """Send nothing new; what was claimed and not sent is given back."""
        self._stopping = True

    async def step(self) -> bool:
        """Do a batch; returns whether there may be more to do at once."""
        organization = await self._organizations.get(self._organization_id)
        if organization is None or self._hold.holds(at=self._clock()):
            return False
        if await self._ledger.held(organization):
            return False
        try:
            site = await self._sites.site(organization)
        except NoAccess as error:
            await self._leave_alone(organization, LoginRefused(NO_ACCESS), **describe(error))
            return False
        looked = await self._look(site)
        wrote = await self._write(site, organization.settings)
        outcomes = [*looked, *wrote]
        if refused := refused_login(outcomes):
            await self._leave_alone(organization, refused)
        if outcomes:
            self._hold = self._hold.after(outcomes, at=self._clock())
        return bool(outcomes)

    async def _write(self, site: Site, settings: OrganizationSettings) -> list[Outcome]:
        at = self._clock()
        lease_until = at + timedelta(seconds=self._settings.lease)
        effects = await self._ledger.claim(
            self._organization_id, at=at, lease_until=lease_until, limit=self._settings.claim
        )

        async def act(effect: Effect) -> Outcome:
            if unwanted := _unwanted(effect, settings):
                return unwanted
            async with self._free:
                return await self._post(site, effect, lease_until)

        # What no adapter foresaw may have happened after the request had left.
        unforeseen: Outcome = Doubtful()
        outcomes = await act_on_all(act, effects, unforeseen=unforeseen)
        await self._record(effects, outcomes)
        return outcomes

    async def _post(self, site: Site, effect: Effect, lease_until: datetime) -> Outcome:
        """Make one request, and surely have stopped trying when the lease ends."""
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
        looks, refused = await look_for(
            doubts,
            organization_id=self._organization_id,
            site=site,
            ledger=self._ledger,
            free=self._free,
        )
        await self._record(doubts, looks)
        return [*looks, refused] if refused else [*looks]

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

    async def _leave_alone(
        self, organization: OrganizationSettingsChanged, refused: LoginRefused, **fields: object
    ) -> None:
        """Ask nothing more of iMIS until the settings change: another login might lock it."""
        await self._ledger.hold(organization, refused.reason, at=self._clock())
        await self._sites.forget(self._organization_id)
        get_logger().error(
            "iMIS doesn't take the organisation's account; its activities wait.",
            organization_id=str(self._organization_id),
            **fields,
        )


def _unwanted(effect: Effect, settings: OrganizationSettings) -> TooEarly | Unneeded | None:
    """Say why the organisation doesn't want an effect, or not yet."""
    if effect.mode is Mode.TEST:
        return None if settings.write_test_runs else Unneeded()
    arrives_first = settings.write_when == MessageStatus.DELIVERED.value
    if arrives_first and effect.about is About.TEXT and not effect.delivered:
        # Once it was tried, iMIS may have it, whatever the settings say by now.
        return TooEarly() if effect.attempts == 1 else None
    return None
