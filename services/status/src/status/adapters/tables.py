"""The status service's tables."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
)

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)

MESSAGES = Table(
    "messages",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("sid", String(64), index=True),
    # One document: it is read and written whole. The columns beside it are what is looked for.
    Column("known", LargeBinary),
    Column("organization_id", Uuid),
    Column("from_number", String(20)),
    Column("sent_at", Instant),
    # When Twilio is asked next; empty as soon as there is nothing left to ask.
    Column("look_at", Instant),
    Column("looks", Integer, nullable=False, default=0, server_default="0"),
    # What was last told of an answer, so that the same answer is not told again.
    Column("polled", String(40)),
)
Index(
    "messages_to_look_at",
    MESSAGES.c.organization_id,
    MESSAGES.c.look_at,
    # Nearly all messages have their final status: the index holds the few that lack it.
    sqlite_where=MESSAGES.c.look_at.is_not(None),
    postgresql_where=MESSAGES.c.look_at.is_not(None),
)
LOOKOUTS = Table(
    "lookouts",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("process", Uuid, nullable=False),
    # One process at a time asks for an account; it may ask again once both are over.
    Column("lease_until", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
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
    Column("heard", Integer, nullable=False, default=0, server_default="0"),
    Column("excluded", Integer, nullable=False),
    Column("settled", Integer, nullable=False),
    Column("total_rows", Integer),
    Column("total_recipients", Integer),
    Column("total_rejected", Integer),
    Column("total_segments", Integer),
    Column("failure", Text),
    Column("phase", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("alarms", String(80), nullable=False, default="", server_default=""),
    # Since when nothing was heard of a run that is not accounted for; empty once it is.
    Column("waiting_since", Instant, index=True),
)
CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("status", String(16)),
    Column("resumed", Integer, nullable=False),
    Column("resumed_at", Instant),
    Column("outcomes", Integer, nullable=False),
    # Pairs of an outcome's number and its error code, as JSON; only the newest are kept.
    Column("errors", Text, nullable=False),
    # The run of which a spike was told.
    Column("alarmed", Uuid),
)
