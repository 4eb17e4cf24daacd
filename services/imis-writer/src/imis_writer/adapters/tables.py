"""The imis-writer's tables."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text, Uuid

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest(
    "organizations",
    METADATA,
    OrganizationSettingsChanged,
    # When iMIS's account was saved as it is: another setting mends no password.
    marks={"account_sequence": lambda event: event.account_sequence},
)
EFFECTS = Table(
    "effects",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("about", String(10), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("run_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("state", String(20), nullable=False),
    # Known from MessageQueued.
    Column("kind", String(20)),
    Column("imis_id", String(200)),
    Column("to_number", String(40)),
    Column("from_number", String(40)),
    Column("text", Text),
    Column("subject", String(400)),
    Column("mode", String(10)),
    # Known from MessageStatusChanged.
    Column("status_sequence", Integer),
    Column("delivered", Boolean, nullable=False, default=False),
    Column("transaction_date", Instant),
    Column("because", Uuid),
    # Known from MessageStatusChanged, when Twilio said that the member has opted out.
    Column("opted_out_at", Instant),  # None again when that is noted as an effect of its own.
    Column("opted_out_because", Uuid),
    # Our own doing.
    Column("not_before", Instant),  # None when there is nothing to do.
    Column("sequence", Integer, nullable=False, default=0),
    Column("attempts", Integer, nullable=False, default=0),
    Column("refusals", Integer, nullable=False, default=0),
    Column("looks", Integer, nullable=False, default=0),
    Column("claimed_by", String(80)),
    Column("process", Uuid),
    Column("lease_until", Instant),  # None but while it is claimed.
    Column("seqn", String(80)),
    Column("log_id", String(80)),
    Column("undo", Boolean, nullable=False, default=False),
    Column("retried_at", Instant),
)
# What is done with is the bulk of the table; it has neither of these, and costs no search.
Index(
    "effects_due",
    EFFECTS.c.organization_id,
    EFFECTS.c.state,
    EFFECTS.c.not_before,
    sqlite_where=EFFECTS.c.not_before.is_not(None),
    postgresql_where=EFFECTS.c.not_before.is_not(None),
)
Index(
    "effects_claimed",
    EFFECTS.c.lease_until,
    sqlite_where=EFFECTS.c.lease_until.is_not(None),
    postgresql_where=EFFECTS.c.lease_until.is_not(None),
)
Index(
    "effects_refused",
    EFFECTS.c.run_id,
    sqlite_where=EFFECTS.c.state == "refused",
    postgresql_where=EFFECTS.c.state == "refused",
)
Index(
    "effects_opted_out",
    EFFECTS.c.message_id,
    sqlite_where=EFFECTS.c.opted_out_at.is_not(None),
    postgresql_where=EFFECTS.c.opted_out_at.is_not(None),
)
Index("effects_by_member", EFFECTS.c.organization_id, EFFECTS.c.imis_id)
Index("effects_by_number", EFFECTS.c.organization_id, EFFECTS.c.to_number)

PAIRS = Table(
    "pairs",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("number", String(40), primary_key=True),
    Column("from_number", String(40), primary_key=True),  # Empty: all of the organisation's.
    Column("sequence", Integer, nullable=False),
    Column("opted_in", Boolean, nullable=False),
    Column("subscribed_at", Instant),
    Column("changed_at", Instant),
)
HOLDS = Table(
    "holds",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("settings_sequence", Integer, nullable=False),
)
