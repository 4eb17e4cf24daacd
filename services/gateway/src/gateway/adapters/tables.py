"""The gateway's tables."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
)

from chassis.instants import Instant

METADATA = MetaData()
ORGANIZATIONS = Table(
    "organizations",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("event", LargeBinary, nullable=False),
)
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("user", String(200), nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("imis_token", LargeBinary, nullable=False),
    Column("imis_expires_at", Instant, nullable=False),
)
LOGIN_ATTEMPTS = Table(
    "login_attempts",
    METADATA,
    Column("attempt", Uuid, primary_key=True),
    Column("key", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Index("login_attempts_by_key", "key", "at"),
)
CAMPAIGN_EVENTS = Table(
    "campaign_events",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("type", String(80), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("event", LargeBinary, nullable=False),
)
CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("run_id", Uuid, index=True),
    Column("type", String(80), nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Index("campaigns_by_organization", "organization_id", "campaign_id"),
    Index("campaigns_by_status", "status", "changed_at"),
)
RUNS_HEARD = Table(
    "runs_heard",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("source", String(20), primary_key=True),
    # The newest event of the run that was heeded: a late one must not undo it.
    Column("sequence", Integer, nullable=False),
)
PREVIEWS = Table(
    "previews",
    METADATA,
    Column("preview_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("asked_at", Instant, nullable=False, index=True),
    # Stands for all that the answer depends on.
    Column("question", String(64), nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("result", LargeBinary),
    Column("rows_read", Integer, nullable=False),
    Column("rows_expected", Integer),
    Index("previews_by_campaign", "campaign_id", "asked_at"),
)
IDEMPOTENCY = Table(
    "idempotency",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", Instant, nullable=False, index=True),
)
RUN_COMMANDS = Table(
    "run_commands",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    # How many commands about the run were given.
    Column("sequence", Integer, nullable=False),
)
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    # How many decisions about the message were made.
    Column("sequence", Integer, nullable=False),
    # Which of the message's statuses the newest one was about.
    Column("about", Integer, nullable=False),
    Column("resolution", String(20), nullable=False),
    Column("sid", String(64)),
)
UPLOADS = Table(
    "uploads",
    METADATA,
    Column("upload_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False, index=True),
    Column("name", String(200), nullable=False),
    # JSON: the columns' names, in their order.
    Column("columns", LargeBinary, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Instant, nullable=False),
)
QUERIES = Table(
    "queries",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("path_hash", String(64), primary_key=True),
    # JSON: what the query asks for without having an answer of its own.
    Column("prompts", LargeBinary, nullable=False),
)
