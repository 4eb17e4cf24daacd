"""Which opt-outs iMIS is told of: attempts, STOPs and STARTs by the batch, in SQL."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from chassis.store import Transaction
from contracts.envelope import Envelope
from contracts.events.consent import Consent, ConsentChanged
from contracts.events.organization import OrganizationSettings
from imis_writer.adapters.opt_out_rows import OptOutRows
from imis_writer.domain import opt_outs
from imis_writer.domain.effects import State
from imis_writer.domain.opt_outs import Attempt, Known, Noted, Pair


class SqlOptOuts:
    """Takes attempts and consents within one transaction."""

    def __init__(
        self, transaction: Transaction, settings: Mapping[UUID, OrganizationSettings]
    ) -> None:
        self._rows = OptOutRows(transaction)
        self._at_stop = frozenset(
            organization_id
            for organization_id, each in settings.items()
            if each.write_unsubscribed_at == "stop"
        )

    async def take(self, attempts: Iterable[Attempt]) -> None:
        """Have iMIS told of each attempt once, unless the member has subscribed again."""
        told = list(attempts)
        if not told:
            return
        standings = await self._rows.standings({pair for each in told for pair in each.pairs})
        eager = {each.pairs[1] for each in told if each.organization_id in self._at_stop}
        noted = {each.member for each in await self._rows.noted(eager) if each.counts}
        states: list[tuple[Attempt, State]] = []
        for each in told:
            state = State.READY
            if opt_outs.is_moot(each, [standings[pair] for pair in each.pairs]):
                state = State.MOOT
            elif each.organization_id in self._at_stop:
                state = State.UNNEEDED if each.member in noted else State.READY
                noted.add(each.member)
            states.append((each, state))
        await self._rows.add(states)

    async def change(self, consents: Sequence[Envelope[ConsentChanged]]) -> None:
        """Have what a START undoes deleted, and tell of a STOP at once where that is wanted."""
        pairs = {_pair_of(each.event) for each in consents}
        standings = await self._rows.standings(pairs | {each.of_all for each in pairs})
        newer: dict[Pair, list[Envelope[ConsentChanged]]] = defaultdict(list)
        for each in sorted(consents, key=lambda each: each.event.sequence):
            pair = _pair_of(each.event)
            after = standings[pair].after(each.event)
            if after is not standings[pair]:
                standings[pair] = after
                newer[pair].append(each)
        if not newer:
            return
        await self._rows.keep({pair: standings[pair] for pair in newer})
        noted = await self._rows.noted({pair.of_all for pair in newer})
        eager = {pair.of_all for pair in newer if pair.organization_id in self._at_stop}
        known = await self._rows.known(eager)
        # A single number's pairs come before the one about all, which leaves out who is told of.
        for pair in sorted(newer, key=lambda each: (each.from_number == "", each)):
            since = opt_outs.latest_start([standings[pair], standings[pair.of_all]])
            noted = await self._apply(newer[pair], pair, noted, known, since=since)

    async def _apply(
        self,
        told: Sequence[Envelope[ConsentChanged]],
        pair: Pair,
        noted: Sequence[Noted],
        known: Mapping[Pair, Sequence[Known]],
        *,
        since: opt_outs.Moment,
    ) -> list[Noted]:
        started = any(each.event.consent is Consent.OPTED_IN for each in told)
        stopped = told[-1].event.consent is Consent.OPTED_OUT
        after = []
        for each in noted:
            changed = each
            if started and each.is_of(pair):
                changed = opt_outs.after_start(changed)
            if stopped and each.is_of(pair):
                changed = opt_outs.after_stop(changed, subscribed_at=since)
            after.append(changed)
        await self._rows.amend(noted, after, told[-1])
        if stopped:
            members = opt_outs.newest_known(known.get(pair.of_all, ()), after, pair)
            after += await self._rows.add_at_stop(members, told[-1])
        return after


def _pair_of(event: ConsentChanged) -> Pair:
    return Pair(event.organization_id, event.number, event.from_number)
