"""The status service's tables."""

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, Text, Uuid

METADATA = MetaData()

MESSAGES = Table(
    "messages",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("sid", String(64), index=True),
    # One document: it is read and written whole, and nothing but its SID is ever looked for.
    Column("known", LargeBinary),
)
PARKED = Table(
    "parked_callbacks",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("sid", String(64), nullable=False, index=True),
    Column("causation_id", Uuid),
    Column("event", LargeBinary, nullable=False),
)
COUNTED = Table(
    "counted",
    METADATA,
    Column("subject", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    # Plain rows keyed by a pair: without a row id, SQLite keeps them once and not twice.
    sqlite_with_rowid=False,
)
RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("total_rows", Integer),
    Column("total_recipients", Integer),
    Column("total_rejected", Integer),
    Column("total_segments", Integer),
    Column("failure", Text),
    Column("phase", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
)
