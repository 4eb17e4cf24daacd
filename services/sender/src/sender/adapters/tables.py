"""The sender's tables."""

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, Uuid

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)

MESSAGES = Table(
    "messages",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("row", Integer, nullable=False),
    Column("from_number", String(20), nullable=False),
    Column("to_number", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("queued_event", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("not_before", Instant),
    Column("claim_id", Uuid),
    Column("claimed_at", Instant),
    Column("lease_until", Instant),
    Column("instance", String(80)),
    Column("process", Uuid),
    Column("look_at", Instant),
    Column("looks", Integer, nullable=False, default=0),
    Column("sid", String(34), index=True),
    # 1 while the message may be under way, else empty: one open claim for a sender and a number.
    Column("open_claim", Integer),
    Index("one_open_claim", "from_number", "to_number", "open_claim", unique=True),
    Index("messages_waiting", "organization_id", "from_number", "run_id", "state", "row"),
    Index("messages_open", "open_claim", "state", "lease_until"),
)
RUNS = Table(
    "lane_runs",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("from_number", String(20), primary_key=True),
    Column("run_id", Uuid, primary_key=True),
)
