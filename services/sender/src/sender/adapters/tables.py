"""The sender's tables."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text, Uuid, text

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
    Column("recipient_id", Uuid, nullable=False),
    Column("row", Integer, nullable=False),
    Column("imis_id", Text, nullable=False),
    Column("from_number", String(20), nullable=False),
    Column("to_number", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("mode", String(20), nullable=False),
    Column("write_to", String(20), nullable=False),
    Column("log_subject", Text),
    # 1: it leaves before all that isn't; else empty.
    Column("urgent", Integer),
    # 1: it tells a member that the opt-out was heard, and may go to whoever has opted out.
    Column("confirms_opt_out", Integer),
    Column("state", String(12), nullable=False),
    # Why it was refused or left out.
    Column("reason", String(20)),
    Column("queued_event", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("not_before", Instant),
    # Of promotional messages: where the member is, and when the window there opens or closes.
    Column("place", Text),
    Column("window_until", Instant),
    Column("claim_id", Uuid),
    Column("claimed_at", Instant),
    # The organisation's day on which the newest claim is counted.
    Column("day", String(10)),
    Column("lease_until", Instant),
    Column("instance", String(80)),
    Column("process", Uuid),
    Column("look_at", Instant),
    Column("looks", Integer, nullable=False, default=0),
    Column("sid", String(34), index=True),
    # The message of a later run that stands in for it.
    Column("superseded_by", Uuid),
    # 1 while the message may be under way, else empty: one open claim for a sender and a number.
    Column("open_claim", Integer),
    Index("one_open_claim", "from_number", "to_number", "open_claim", unique=True),
    # With all that finding a number's open runs asks for: it reads no row for that.
    Index(
        "messages_waiting",
        *("organization_id", "from_number", "run_id", "state", "row", "campaign_id", "urgent"),
    ),
    Index("messages_open", "open_claim", "state", "lease_until"),
    Index(
        "messages_urgent",
        *("organization_id", "from_number", "state", "queued_event"),
        sqlite_where=text("urgent IS NOT NULL"),
        postgresql_where=text("urgent IS NOT NULL"),
    ),
    Index(
        "messages_windows",
        *("state", "window_until"),
        sqlite_where=text("place IS NOT NULL"),
        postgresql_where=text("place IS NOT NULL"),
    ),
)
RUNS = Table(
    "lane_runs",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("from_number", String(20), primary_key=True),
    Column("run_id", Uuid, primary_key=True),
    Column("campaign_id", Uuid, nullable=False),
    Column("urgent", Integer),
)
CAMPAIGN_CONTROLS = Table(
    "campaign_controls",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    # The newest event of the campaign that was heard.
    Column("sequence", Integer, nullable=False),
    Column("state", String(12), nullable=False),
    Column("resumed_at", Instant),
    # When Twilio refused for a cause that every further text would meet.
    Column("held_at", Instant),
)
CANCELLED_RUNS = Table(
    "cancelled_runs",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
)
RUN_HOLDS = Table(
    "run_holds",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("held_by", String(20), primary_key=True),
    # The day, the limit, or the moment that it is told about once.
    Column("mark", String(40), primary_key=True),
    Column("sequence", Integer, nullable=False),
)
RUN_USAGE = Table(
    "run_usage",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("used", Integer, nullable=False),
    # The first row that did not fit, and the limit that it was over.
    Column("full_from", Integer),
    Column("full_at", Integer),
)
DAY_USAGE = Table(
    "day_usage",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("from_number", String(20), primary_key=True),
    Column("used", Integer, nullable=False),
)
CONSENTS = Table(
    "consents",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    # Empty: all of the organisation's numbers.
    Column("from_number", String(20), primary_key=True),
    Column("number", String(20), primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("opted_out", Boolean, nullable=False),
    Column("changed_at", Instant),
    # When a text was posted that Twilio refused because of an opt-out that we hadn't heard of.
    Column("refused_at", Instant),
)
RESENDS = Table(
    "resends",
    METADATA,
    Column("request", Uuid, primary_key=True),
    Column("earlier_run_id", Uuid, nullable=False, index=True),
    # Empty when nothing had been missed.
    Column("run_id", Uuid),
)
