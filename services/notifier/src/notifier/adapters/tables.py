"""The notifier's tables."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, Uuid

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)
CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    # Its newest state; None while only runs of it are known.
    Column("type", String(80)),
    Column("event", LargeBinary),
    Column("since", Instant),
    Column("handled", Instant),
    # From when on its next run can begin; None when none is waited for.
    Column("begins_at", Instant),
)
Index(
    "campaigns_by_beginning",
    CAMPAIGNS.c.begins_at,
    sqlite_where=CAMPAIGNS.c.begins_at.is_not(None),
    postgresql_where=CAMPAIGNS.c.begins_at.is_not(None),
)
RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("due_at", Instant),
    Column("mode", String(8), nullable=False),
)
REFUSALS = Table(
    "refusals",
    METADATA,
    Column("effect_id", Uuid, primary_key=True),
    Column("run_id", Uuid, nullable=False, index=True),
    Column("reason", Text, nullable=False),
)
MAILS = Table(
    "mails",
    METADATA,
    Column("mail_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("campaign_id", Uuid),
    Column("run_id", Uuid),
    Column("kind", String(32), nullable=False),
    Column("facts", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    # None when there is nothing to do.
    Column("not_before", Instant),
    # By when it is looked at, however far it is put off.
    Column("latest", Instant),
    # How often it was in hand, and how often it then failed.
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    # When it was let through: of one kind and organisation only so many are in an hour.
    Column("passed_at", Instant),
    # The mail in which this is told together with others.
    Column("told_in", Uuid, index=True),
    Column("settled", Text, nullable=False),
    Column("claimed_by", String(80)),
    Column("process", Uuid),
    # None but while it is in hand.
    Column("lease_until", Instant),
)
# What is done with is the bulk of the table; it has neither of these, and costs no search.
Index(
    "mails_due",
    MAILS.c.not_before,
    sqlite_where=MAILS.c.not_before.is_not(None),
    postgresql_where=MAILS.c.not_before.is_not(None),
)
Index(
    "mails_claimed",
    MAILS.c.lease_until,
    sqlite_where=MAILS.c.lease_until.is_not(None),
    postgresql_where=MAILS.c.lease_until.is_not(None),
)
Index("mails_passed", MAILS.c.organization_id, MAILS.c.kind, MAILS.c.passed_at)
