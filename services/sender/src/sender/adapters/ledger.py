"""The ledger in SQL: claims, outcomes and doubts on the same rows."""

from uuid import UUID

from chassis.store import Store
from sender.adapters.claims import SqlClaims
from sender.adapters.doubts import SqlDoubts
from sender.adapters.settling import SqlSettling


class SqlLedger(SqlClaims, SqlSettling, SqlDoubts):
    """All that dispatch and reconciliation need."""

    def __init__(self, store: Store, *, instance: str, process: UUID, grace_seconds: float) -> None:
        SqlClaims.__init__(self, store, instance=instance, process=process)
        SqlSettling.__init__(self, store, grace_seconds=grace_seconds)
        SqlDoubts.__init__(self, store, instance=instance, process=process)
