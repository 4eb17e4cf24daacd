"""The audience service's tables."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)
JOBS = Table(
    "jobs",
    METADATA,
    # The run's or the preview's own id.
    Column("id", Uuid, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("organization_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("occurrence", String(100), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("step", Integer, nullable=False, default=0),
    Column("progress", LargeBinary, nullable=False),
    Column("lease_owner", String(200)),
    Column("lease_instance", String(80)),
    Column("lease_until", Instant),
    Column("done_at", Instant),
    UniqueConstraint("campaign_id", "occurrence"),
)
Index(
    "jobs_open",
    JOBS.c.kind,
    JOBS.c.received_at,
    sqlite_where=JOBS.c.done_at.is_(None),
    postgresql_where=JOBS.c.done_at.is_(None),
)
REFUSED_LOGINS = Table(
    "refused_logins",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    # The organisation's settings that iMIS refused.
    Column("sequence", Integer, nullable=False),
    Column("refusals", Integer, nullable=False),
    Column("not_before", Instant, nullable=False),
)
ROWS = Table(
    "rows",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("row_number", Integer, primary_key=True),
    Column("contents", LargeBinary(16), nullable=False),
    Column("imis_id", Text, nullable=False),
    Column("phone", Text, nullable=False),
    # JSON: the alias of each column and its text.
    Column("merge_values", LargeBinary, nullable=False),
    Index("rows_by_contents", "run_id", "contents"),
)
# Which member has which number in a run: what tells a repeated row, over pages and restarts.
NUMBERS = Table(
    "numbers",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("e164", String(20), primary_key=True),
    Column("imis_id", Text, primary_key=True),
    sqlite_with_rowid=False,
)
