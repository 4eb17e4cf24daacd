"""The ledger in SQL: claims and doubts on the same rows."""

from uuid import UUID

from chassis.store import Store
from sender.adapters.claims import SqlClaims
from sender.adapters.doubts import SqlDoubts


class SqlLedger(SqlClaims, SqlDoubts):
    """All that dispatch and reconciliation need."""

    def __init__(self, store: Store, *, instance: str, process: UUID, grace_seconds: float) -> None:
        SqlClaims.__init__(
            self, store, instance=instance, process=process, grace_seconds=grace_seconds
        )
        SqlDoubts.__init__(self, store, instance=instance, process=process)
