"""The read models' tables; projections alone writes them.

Every figure in them is a function of the log, whatever order and however often it is read. A row
may exist before it is complete: facts about a message come on several topics, in any order.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
)

from chassis.instants import Instant
from readmodels.views import RowStatus

STORE_NAME = "projections"
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
    # The run whose missed texts this one sends.
    Column("earlier_run_id", Uuid, index=True),
    Column("alarm", String(32)),
    Column("alarm_detail", Text),
    Column("alarm_sequence", Integer, nullable=False, server_default="0"),
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
    Column("left_out_sequence", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("segments", Integer, nullable=False, server_default="0"),
    Column("mode", String(8)),
    # What staff see; it follows from what was told, and from the row's being left out.
    Column("status", String(16)),
    Column("told", String(16)),
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
    # The message of an earlier run that this one stands in for.
    Column("supersedes", Uuid),
    Index("messages_by_row", "run_id", "row"),
)
Index(
    "messages_unknown",
    MESSAGES.c.organization_id,
    MESSAGES.c.message_id,
    sqlite_where=MESSAGES.c.status == RowStatus.UNKNOWN.value,
    postgresql_where=MESSAGES.c.status == RowStatus.UNKNOWN.value,
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
GAPS = Table(
    "gaps",
    METADATA,
    Column("topic", String(200), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("reason", String(40), nullable=False),
    # None when the record doesn't even say which event it is.
    Column("event_id", Uuid, index=True),
)
"""Records that could not be projected: while there is one, the read models are incomplete."""
POSITIONS = Table(
    "positions",
    METADATA,
    Column("topic", String(200), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, nullable=False),
)
"""Up to where of the log the tables reach: the first offset of each partition not in them."""
GENERATION = Table(
    "generation",
    METADATA,
    Column("id", Integer, primary_key=True),
    # Nothing is written to these tables before then: another generation takes over from them.
    Column("sealed_until", Instant),
    # When the tables were first caught up with those that served.
    Column("built_at", Instant),
)
READ_MODELS = (CAMPAIGNS, RUNS, MESSAGES, RUN_COUNTS, DAYS)
"""What is read by others, and compared after a rebuild."""
