"""Who has opted out, as consent told: what a preview needs to be right to the message."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from audience.adapters.tables import OPT_OUTS
from chassis.store import Store, Transaction, keep_newest
from contracts.envelope import Envelope
from contracts.events.consent import Consent, ConsentChanged


async def fold(transaction: Transaction, changes: Sequence[Envelope[ConsentChanged]]) -> None:
    """Take what is newer."""
    newest: dict[UUID, ConsentChanged] = {}
    for envelope in changes:
        event = envelope.event
        known = newest.get(event.consent_id)
        if known is None or known.sequence < event.sequence:
            newest[event.consent_id] = event
    rows = [
        {
            "consent_id": event.consent_id,
            "sequence": event.sequence,
            "organization_id": event.organization_id,
            "number": event.number,
            "from_number": event.from_number,
            "opted_out": event.consent is Consent.OPTED_OUT,
        }
        for _, event in sorted(newest.items())
    ]
    await transaction.execute(keep_newest(transaction.connection, OPT_OUTS, key="consent_id"), rows)


class SqlOptOuts:
    """The opted-out numbers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def among(
        self, organization_id: UUID, from_number: str, numbers: Collection[str]
    ) -> set[str]:
        """Return those of the numbers that may not be texted from that one."""
        if not numbers:
            return set()
        query = select(OPT_OUTS.c.number).where(
            OPT_OUTS.c.organization_id == organization_id,
            OPT_OUTS.c.from_number.in_((from_number, "")),
            OPT_OUTS.c.number.in_(numbers),
            OPT_OUTS.c.opted_out,
        )
        async with self._store.read() as connection:
            return set((await connection.scalars(query)).all())
