"""The imis-writer's tables."""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, Uuid

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)
EFFECTS = Table(
    "effects",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("effect_id", Uuid, nullable=False),
    Column("organization_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("state", String(20), nullable=False),
    # Known from MessageQueued.
    Column("imis_id", String(200)),
    Column("to_number", String(40)),
    Column("text", Text),
    Column("mode", String(10)),
    # Known from MessageStatusChanged.
    Column("status_sequence", Integer),
    Column("transaction_date", Instant),
    Column("because", Uuid),
    # Our own doing.
    Column("not_before", Instant),  # None when there is nothing to do.
    Column("sequence", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),
    Column("claimed_by", String(80)),
    Column("process", Uuid),
    Column("lease_until", Instant),  # None but while it is claimed.
    Column("seqn", String(80)),
)
# What is done with is the bulk of the table; it has neither of these, and costs no search.
Index(
    "effects_due",
    EFFECTS.c.organization_id,
    EFFECTS.c.state,
    EFFECTS.c.not_before,
    sqlite_where=EFFECTS.c.not_before.is_not(None),
    postgresql_where=EFFECTS.c.not_before.is_not(None),
)
Index(
    "effects_claimed",
    EFFECTS.c.lease_until,
    sqlite_where=EFFECTS.c.lease_until.is_not(None),
    postgresql_where=EFFECTS.c.lease_until.is_not(None),
)
Index("effects_by_member", EFFECTS.c.organization_id, EFFECTS.c.imis_id)
