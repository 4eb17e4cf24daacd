"""One at a time for an organisation: what must not overlap, whichever process does it."""

from uuid import UUID

from sqlalchemy import func, select

from chassis.store import Transaction


async def alone(transaction: Transaction, organization_id: UUID) -> None:
    """Wait until no other transaction that asked for the same is running; then go on.

    Limits would be passed, and opt-outs overlooked, by two transactions that each read before
    the other has committed. On SQLite there is one writer anyway.
    """
    if transaction.connection.dialect.name == "postgresql":
        key = int.from_bytes(organization_id.bytes[:8], "big", signed=True)
        await transaction.execute(select(func.pg_advisory_xact_lock(key)))
