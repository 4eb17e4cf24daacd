"""Pages of recipients, and single texts, entered into the ledger within their transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from chassis.store import Transaction
from contracts.envelope import Envelope, seal
from contracts.events.audience import Reason, RecipientsResolved
from contracts.events.campaign import Mode, Purpose
from contracts.events.message import MessageQueued, MessageRequested, ReplyRequested
from contracts.events.organization import OrganizationSettingsChanged
from contracts.events.run import HeldBy
from sender.adapters.consents import Pair, SqlConsents
from sender.adapters.controls import SqlControls
from sender.adapters.entering import Entry, enter, enter_left_out
from sender.adapters.holds import SqlHolds
from sender.adapters.tables import MESSAGES, SETTINGS
from sender.domain.holds import Hold
from sender.domain.wanted import Wanted, of_page, of_single
from sender.ports import Entered
from timing import quiet
from timing.quiet import Place, Rules


class SqlIntake:
    """Enters messages, each once."""

    def __init__(self, transaction: Transaction, rules: Rules | None = None) -> None:
        self._transaction = transaction
        self._rules = rules or quiet.standard()

    async def take(
        self, pages: Sequence[Envelope[RecipientsResolved]], *, at: datetime
    ) -> list[Envelope[Entered]]:
        """Enter what is new of a run's pages; the last page tells what has to wait for the day.

        Who has opted out, or belongs to what was cancelled, is entered as left out, so that each
        row is accounted for.
        """
        told = await self._take((each for page in pages for each in of_page(page, at=at)), at=at)
        last = [each.event for each in pages if each.event.totals is not None]
        await SqlHolds(self._transaction).tell(
            [_night(each) for each in last if each.purpose is Purpose.PROMOTIONAL], at=at
        )
        return told

    async def take_singles(
        self,
        asked: Sequence[Envelope[MessageRequested] | Envelope[ReplyRequested]],
        *,
        at: datetime,
    ) -> list[Envelope[Entered]]:
        """Enter what is new of the texts that are to leave before all others."""
        return await self._take((of_single(each, at=at) for each in asked), at=at)

    async def _take(self, wanted: Iterable[Wanted], *, at: datetime) -> list[Envelope[Entered]]:
        by_id = {each.queued.message_id: each for each in wanted}
        query = select(MESSAGES.c.message_id).where(MESSAGES.c.message_id.in_(by_id))
        known = set((await self._transaction.execute(query)).scalars())
        new = [each for message_id, each in by_id.items() if message_id not in known]
        if not new:
            return []
        reasons = await self._reasons(new)
        places = await self._places([each for each in new if _keeps_hours(each)])
        left_out = [
            (each.queued, reason, each.because)
            for each in new
            if (reason := reasons.get(each.queued.message_id)) is not None
        ]
        entries = [
            Entry(
                seal(each.queued, because=each.because),
                places.get(each.queued.message_id),
                each.confirms_opt_out,
            )
            for each in new
            if each.queued.message_id not in reasons
        ]
        return [
            *await enter_left_out(self._transaction, left_out),
            *await enter(self._transaction, entries, rules=self._rules, at=at),
        ]

    async def _reasons(self, new: Sequence[Wanted]) -> dict[UUID, Reason]:
        """Say who is left out at the door, and why."""
        cancelled = await SqlControls(self._transaction).cancelled_among(
            {each.queued.campaign_id for each in new}, {each.queued.run_id for each in new}
        )
        out = await SqlConsents(self._transaction).opted_out_among(
            {_pair(each.queued) for each in new if not each.confirms_opt_out}
        )
        if not cancelled and not out:
            return {}
        reasons: dict[UUID, Reason] = {}
        for each in new:
            if each.queued.campaign_id in cancelled or each.queued.run_id in cancelled:
                reasons[each.queued.message_id] = Reason.CANCELLED
            elif not each.confirms_opt_out and _pair(each.queued) in out:
                reasons[each.queued.message_id] = Reason.OPTED_OUT
        return reasons

    async def _places(self, wanted: Sequence[Wanted]) -> dict[UUID, Place]:
        """Say where those members are whose quiet hours matter."""
        if not wanted:
            return {}
        organizations = {each.queued.organization_id for each in wanted}
        query = select(SETTINGS.table.c.event).where(SETTINGS.table.c.subject.in_(organizations))
        events = (await self._transaction.execute(query)).scalars()
        settings = [OrganizationSettingsChanged.model_validate_json(each) for each in events]
        shared = {each.organization_id: each.settings.recipients_zone for each in settings}
        return {
            each.queued.message_id: self._rules.place_of(
                each.queued.to, each.zone or shared.get(each.queued.organization_id)
            )
            for each in wanted
        }


def _keeps_hours(wanted: Wanted) -> bool:
    """Whether it waits for a fit hour: a promotional text that really leaves (X-4)."""
    return wanted.purpose is Purpose.PROMOTIONAL and wanted.queued.mode is not Mode.TEST


def _pair(queued: MessageQueued) -> Pair:
    return Pair(queued.organization_id, queued.from_number, queued.to)


def _night(page: RecipientsResolved) -> Hold:
    return Hold(
        page.organization_id,
        page.from_number,
        page.run_id,
        page.campaign_id,
        HeldBy.QUIET_HOURS,
    )
