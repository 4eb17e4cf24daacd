"""The read models' tables; projections alone writes them.

Every figure in them is a function of the log, whatever order and however often it is read. A row
may exist before it is complete: facts about a message come on several topics, in any order.
"""

from sqlalchemy import Column, Date, Index, Integer, MetaData, String, Table, Text, Uuid

from chassis.instants import Instant

STORE_NAME = "readmodels"
METADATA = MetaData()

CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
)
RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("name", Text),
    Column("occurrence", String(80)),
    Column("mode", String(8)),
    Column("from_number", String(32)),
    Column("due_at", Instant),
    Column("state", String(16), nullable=False),
    Column("state_sequence", Integer, nullable=False),
    Column("failure", Text),
    Column("rows", Integer),
    Column("recipients", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Index("runs_by_campaign", "organization_id", "campaign_id"),
)
MESSAGES = Table(
    "messages",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("recipient_id", Uuid),
    Column("row", Integer),
    Column("imis_id", Text),
    Column("to", Text),
    Column("text", Text),
    # 1 once the text itself is known; a status may arrive before it.
    Column("addressed", Integer, nullable=False, server_default="0"),
    Column("left_out", String(16)),
    Column("reason", Text),
    Column("segments", Integer, nullable=False, server_default="0"),
    Column("mode", String(8)),
    Column("status", String(16)),
    Column("status_sequence", Integer, nullable=False, server_default="0"),
    Column("status_at", Instant),
    Column("error_code", Integer),
    Column("sid", String(64)),
    Column("queued_at", Instant),
    Column("attempted_at", Instant),
    Column("doubt", Text),
    Column("doubt_sequence", Integer, nullable=False, server_default="0"),
    Column("activity_state", String(16)),
    Column("activity_seqn", Text),
    Column("activity_sequence", Integer, nullable=False, server_default="0"),
    Index("messages_by_row", "run_id", "row"),
)
RUN_COUNTS = Table(
    "run_counts",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
)
DAYS = Table(
    "days",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("sent_messages", Integer, nullable=False),
    Column("sent_segments", Integer, nullable=False),
    Column("failed_messages", Integer, nullable=False),
    Column("unknown_messages", Integer, nullable=False),
    Column("simulated_messages", Integer, nullable=False),
)
