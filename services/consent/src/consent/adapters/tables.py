"""The consent service's tables."""

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
PAIRS = Table(
    "pairs",
    METADATA,
    Column("consent_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("number", String(40), nullable=False),
    Column("from_number", String(40), nullable=False),
    Column("consent", String(20), nullable=False),
    Column("sequence", Integer, nullable=False),
)
DECISIONS = Table(
    "decisions",
    METADATA,
    Column("consent_id", Uuid, primary_key=True),
    Column("fact_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("at", Instant, nullable=False),
    Column("consent", String(20), nullable=False),
    Column("cause", String(20), nullable=False),
    Column("word", String(40), nullable=False),
    Column("by", String(200), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    # A fact may be about two pairs, and is known by both of them or by none.
    Index("decisions_by_fact", "organization_id", "fact_id"),
)
"""What was said, when, by which text: kept for six years, as evidence."""
REVIEWS = Table(
    "reviews",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("text_id", Uuid, primary_key=True),
    Column("consent_id", Uuid, nullable=False),
    Column("number", String(40), nullable=False),
    Column("from_number", String(40), nullable=False),
    Column("message_sid", String(80), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", String(20), nullable=False),
    Column("by", String(200), nullable=False),
    Column("sequence", Integer, nullable=False),
)
ASIDE = Table(
    "set_aside",
    METADATA,
    Column("event_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, primary_key=True),
    Column("judged_by", Integer, nullable=False),
    Column("type", String(80), nullable=False),
    Column("event", LargeBinary, nullable=False),
)
