"""The rows of runs, and what iMIS keeps of them."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, Uuid, text

from chassis.instants import Instant
from readmodels.tables.base import METADATA
from readmodels.views import ActivityState, RowStatus

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
    # Of a shared phone or a repeated row: the member whose text stands for this one.
    Column("same_as_imis_id", Text),
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
    # The message of an earlier run that this one stands in for.
    Column("supersedes", Uuid),
    Index("messages_by_row", "run_id", "row"),
)
AMISS = text("status IN ('held', 'undelivered', 'failed', 'error', 'unknown', 'excluded')")
"""The rows that a page of one status looks for among many that went well; word for word, so that
the index serves the query."""
Index(
    "messages_amiss",
    MESSAGES.c.run_id,
    MESSAGES.c.status,
    MESSAGES.c.row,
    sqlite_where=AMISS,
    postgresql_where=AMISS,
)
Index(
    "messages_unknown",
    MESSAGES.c.organization_id,
    MESSAGES.c.message_id,
    sqlite_where=MESSAGES.c.status == RowStatus.UNKNOWN.value,
    postgresql_where=MESSAGES.c.status == RowStatus.UNKNOWN.value,
)
MESSAGE_HOLDS = Table(
    "message_holds",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("until", Instant, nullable=False),
    Column("place", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
)
"""Until when a text was held; it tells of the present as long as the text's status is held."""
ACTIVITIES = Table(
    "activities",
    METADATA,
    # An effect's id derives from these two.
    Column("message_id", Uuid, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("imis_id", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("seqn", Text),
    Column("reason", Text),
    Column("at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
)
"""What became of each effect in iMIS; a message may have several."""
Index(
    "activities_amiss",
    ACTIVITIES.c.run_id,
    ACTIVITIES.c.state,
    sqlite_where=ACTIVITIES.c.state != ActivityState.WRITTEN.value,
    postgresql_where=ACTIVITIES.c.state != ActivityState.WRITTEN.value,
)
