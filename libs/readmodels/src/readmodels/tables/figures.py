"""What the rows of runs add up to: each change of a row takes away what it was, adds what it is."""

from sqlalchemy import Column, Index, Integer, String, Table, Uuid, text

from readmodels.tables.base import METADATA

RUN_COUNTS = Table(
    "run_counts",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
)
WAITING = text("status IN ('preparing', 'held') AND messages > 0")
"""The counts of texts that may still leave; word for word, so that the index serves the query."""
Index(
    "run_counts_waiting",
    RUN_COUNTS.c.organization_id,
    sqlite_where=WAITING,
    postgresql_where=WAITING,
)
RUN_ERRORS = Table(
    "run_errors",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("status", String(16), primary_key=True),
    # 0 when Twilio told no error, and an empty reason when we found none.
    Column("error_code", Integer, primary_key=True, autoincrement=False),
    Column("reason", String(32), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
)
"""The rows that ended badly or were left out, by what was the matter."""
RUN_HOURS = Table(
    "run_hours",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    # Hours since 1970, UTC.
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("status", String(16), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
)
"""The rows that were attempted, by the hour of the attempt."""
CHARGES = Table(
    "charges",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    # Quarters of an hour since 1970, UTC: any time zone's day is made of whole ones.
    Column("quarter", Integer, primary_key=True, autoincrement=False),
    Column("campaign_id", Uuid, primary_key=True),
    Column("outcome", String(16), primary_key=True),
    Column("messages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
)
"""The rows that were attempted, by the quarter of the attempt and by who pays what (TM-22)."""
FIGURES = (RUN_COUNTS, RUN_ERRORS, RUN_HOURS, CHARGES)
"""Tables of sums: a row whose sums went back to nothing is as if it had never been."""
