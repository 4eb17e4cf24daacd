"""Who may not be texted: what consent told, and what Twilio refused before it was told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, case, or_, select, update

from chassis.store import Transaction, upsert
from contracts.envelope import Envelope
from contracts.events.audience import Reason
from contracts.events.consent import Consent, ConsentChanged
from contracts.events.message import RecipientExcluded
from sender.adapters.exclusion import leave_out
from sender.adapters.serial import alone
from sender.adapters.tables import CONSENTS, MESSAGES, RUNS
from sender.domain.messages import WAITING

_KEY = ["organization_id", "from_number", "number"]
_UNHEARD = -1
"""The sequence of a pair of which consent has told nothing yet."""


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A sending number (empty: all of them) and a member's."""

    organization_id: UUID
    from_number: str
    number: str

    @property
    def key(self) -> tuple[UUID, str, str]:
        """What sorts it, so that two batches never wait for each other."""
        return self.organization_id, self.from_number, self.number


def opted_out(organization: Any, from_number: Any, number: Any) -> ColumnElement[bool]:
    """Whether a number may not be texted from another, as a condition."""
    return (
        select(CONSENTS.c.number)
        .where(
            CONSENTS.c.organization_id == organization,
            CONSENTS.c.number == number,
            or_(CONSENTS.c.from_number == from_number, CONSENTS.c.from_number == ""),
            or_(CONSENTS.c.opted_out, CONSENTS.c.refused_at.is_not(None)),
        )
        .exists()
    )


class SqlConsents:
    """Folds what is told about opt-outs, within the transaction of a batch of events."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def fold(
        self, changes: Sequence[Envelope[ConsentChanged]], *, at: datetime
    ) -> list[Envelope[RecipientExcluded]]:
        """Take what is newer, and leave out at once what waits for those who opted out."""
        newest: dict[Pair, ConsentChanged] = {}
        for envelope in changes:
            event = envelope.event
            pair = Pair(event.organization_id, event.from_number, event.number)
            known = newest.get(pair)
            if known is None or known.sequence < event.sequence:
                newest[pair] = event
        pairs = sorted(newest, key=lambda pair: pair.key)
        # A claim that read before this commits must have committed before this reads.
        for organization in sorted({pair.organization_id for pair in pairs}):
            await alone(self._transaction, organization)
        await self._transaction.execute(self._keep_newest(), [_row(newest[each]) for each in pairs])
        await self._believe_starts([newest[each] for each in pairs])
        return await self.leave_out(pairs, at=at)

    async def note_refused(
        self, refused: Sequence[tuple[Pair, datetime]], *, at: datetime
    ) -> list[Envelope[RecipientExcluded]]:
        """Take Twilio's word that numbers opted out there; the moment is the text's claim.

        A START that is known to have come later stands.
        """
        if not refused:
            return []
        moments: dict[Pair, datetime] = {}
        for pair, moment in refused:
            moments[pair] = max(moment, moments.get(pair, moment))
        started = await self._started(list(moments))
        fresh = {
            pair: moment
            for pair, moment in moments.items()
            if (known := started.get((pair.organization_id, pair.number))) is None or known < moment
        }
        if not fresh:
            return []
        pairs = sorted(fresh, key=lambda pair: pair.key)
        statement = upsert(self._transaction.connection, CONSENTS)
        table, new = CONSENTS.c, statement.excluded
        noted = statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={"refused_at": new.refused_at},
            where=and_(
                or_(table.changed_at.is_(None), table.changed_at < new.refused_at),
                or_(table.refused_at.is_(None), table.refused_at < new.refused_at),
            ),
        )
        rows = [
            {
                **dict(zip(_KEY, pair.key, strict=True)),
                "sequence": _UNHEARD,
                "opted_out": False,
                "changed_at": None,
                "refused_at": fresh[pair],
            }
            for pair in pairs
        ]
        await self._transaction.execute(noted, rows)
        return await self.leave_out(pairs, at=at)

    async def leave_out(
        self, pairs: Collection[Pair], *, at: datetime
    ) -> list[Envelope[RecipientExcluded]]:
        """Settle what waits for numbers that may not be texted now."""
        told: list[Envelope[RecipientExcluded]] = []
        for organization in sorted({pair.organization_id for pair in pairs}):
            own = [pair for pair in pairs if pair.organization_id == organization]
            lanes = select(RUNS.c.from_number).where(RUNS.c.organization_id == organization)
            query = select(MESSAGES.c.message_id).where(
                # By the numbers first: there is an index by them, and few are waited for.
                MESSAGES.c.from_number.in_(lanes),
                MESSAGES.c.to_number.in_({pair.number for pair in own}),
                MESSAGES.c.open_claim.is_(None),
                MESSAGES.c.organization_id == organization,
                MESSAGES.c.state.in_(WAITING),
                MESSAGES.c.confirms_opt_out.is_(None),
                opted_out(organization, MESSAGES.c.from_number, MESSAGES.c.to_number),
            )
            waiting = (await self._transaction.execute(query)).scalars().all()
            told += await leave_out(self._transaction, waiting, Reason.OPTED_OUT, at=at)
        return told

    async def opted_out_among(self, pairs: Collection[Pair]) -> set[Pair]:
        """Return those pairs that may not be texted."""
        found: set[Pair] = set()
        wanted = {(pair.organization_id, pair.from_number) for pair in pairs}
        for organization, from_number in sorted(wanted):
            numbers = {
                pair.number
                for pair in pairs
                if (pair.organization_id, pair.from_number) == (organization, from_number)
            }
            query = select(CONSENTS.c.number).where(
                CONSENTS.c.organization_id == organization,
                CONSENTS.c.from_number.in_((from_number, "")),
                CONSENTS.c.number.in_(numbers),
                or_(CONSENTS.c.opted_out, CONSENTS.c.refused_at.is_not(None)),
            )
            out = (await self._transaction.execute(query)).scalars()
            found |= {Pair(organization, from_number, number) for number in out}
        return found

    def _keep_newest(self) -> Any:
        statement = upsert(self._transaction.connection, CONSENTS)
        table, new = CONSENTS.c, statement.excluded
        started = and_(~new.opted_out, table.refused_at <= new.changed_at)
        return statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={
                "sequence": new.sequence,
                "opted_out": new.opted_out,
                "changed_at": new.changed_at,
                "refused_at": case((started, None), else_=table.refused_at),
            },
            where=table.sequence < new.sequence,
        )

    async def _believe_starts(self, newest: Sequence[ConsentChanged]) -> None:
        """Forget what Twilio refused before a START that is about all of the numbers."""
        starts = [
            {"tenant": each.organization_id, "member": each.number, "moment": each.occurred_at}
            for each in newest
            if each.consent is Consent.OPTED_IN and not each.from_number
        ]
        if starts:
            await self._transaction.execute(
                update(CONSENTS)
                .where(
                    CONSENTS.c.organization_id == bindparam("tenant"),
                    CONSENTS.c.number == bindparam("member"),
                    CONSENTS.c.refused_at <= bindparam("moment", type_=CONSENTS.c.refused_at.type),
                )
                .values(refused_at=None),
                starts,
            )

    async def _started(self, pairs: Sequence[Pair]) -> dict[tuple[UUID, str], datetime]:
        """Return when numbers said START to all of an organisation's numbers at once."""
        query = select(CONSENTS).where(
            CONSENTS.c.organization_id.in_({pair.organization_id for pair in pairs}),
            CONSENTS.c.from_number == "",
            CONSENTS.c.number.in_({pair.number for pair in pairs}),
            ~CONSENTS.c.opted_out,
            CONSENTS.c.changed_at.is_not(None),
        )
        rows = (await self._transaction.execute(query)).all()
        return {(row.organization_id, row.number): row.changed_at for row in rows}


def _row(event: ConsentChanged) -> dict[str, Any]:
    return {
        "organization_id": event.organization_id,
        "from_number": event.from_number,
        "number": event.number,
        "sequence": event.sequence,
        "opted_out": event.consent is Consent.OPTED_OUT,
        "changed_at": event.occurred_at,
        "refused_at": None,
    }
