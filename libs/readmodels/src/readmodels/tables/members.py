"""Who may be texted, and whether iMIS takes anything."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, Uuid

from chassis.instants import Instant
from contracts.events.consent import Consent
from readmodels.tables.base import METADATA

CONSENTS = Table(
    "consents",
    METADATA,
    Column("consent_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    # The sending number that it is about; empty: all of the organisation's.
    Column("from_number", String(32), nullable=False),
    Column("consent", String(16), nullable=False),
    Column("cause", String(16), nullable=False),
    Column("word", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
    Index("consents_by_number", "organization_id", "number"),
)
Index(
    "consents_opted_out",
    CONSENTS.c.organization_id,
    CONSENTS.c.consent_id,
    sqlite_where=CONSENTS.c.consent == Consent.OPTED_OUT.value,
    postgresql_where=CONSENTS.c.consent == Consent.OPTED_OUT.value,
)
REVIEWS = Table(
    "reviews",
    METADATA,
    Column("review_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("from_number", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("status", String(16), nullable=False),
    Column("by", Text, nullable=False),
    Column("sequence", Integer, nullable=False),
    Index("reviews_by_time", "organization_id", "received_at", "review_id"),
)
ACTIVITIES_HELD = Table(
    "activities_held",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("settings_sequence", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
)
"""The newest settings whose iMIS account was refused; newer ones let the writing go on."""
