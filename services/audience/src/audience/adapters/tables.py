"""The audience service's tables."""

from sqlalchemy import (
    Boolean,
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
SETTINGS = Latest(
    "organizations",
    METADATA,
    OrganizationSettingsChanged,
    # When iMIS's account was saved as it is: another setting mends no password.
    marks={"account_sequence": lambda event: event.account_sequence},
)
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
    # Whether iMIS is still to be asked for its rows.
    Column("needs_imis", Boolean, nullable=False),
    # The settings whose refused account the run was said to wait for.
    Column("awaited_sequence", Integer),
    # How many rows a run had that was resolved to its end.
    Column("rows_found", Integer),
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
    # The organisation's settings that iMIS refused: there is no log-in until newer ones.
    Column("sequence", Integer, nullable=False),
)
OPT_OUTS = Table(
    "opt_outs",
    METADATA,
    Column("consent_id", Uuid, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("organization_id", Uuid, nullable=False),
    Column("number", String(20), nullable=False),
    # Empty: all of the organisation's numbers.
    Column("from_number", String(40), nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Index("opt_outs_by_number", "organization_id", "number"),
)
# Parts of uploaded lists, each as it came.
UPLOADS = Table(
    "uploads",
    METADATA,
    Column("upload_id", Uuid, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("first_row", Integer, nullable=False),
    Column("row_count", Integer, nullable=False),
    Column("rows_in_all", Integer),
    # JSON: a list of names, and a list of rows.
    Column("columns", LargeBinary, nullable=False),
    Column("rows", LargeBinary, nullable=False),
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
    Column("first_row", Integer, nullable=False),
    sqlite_with_rowid=False,
)
