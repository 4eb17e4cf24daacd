"""The ingress's tables."""

from sqlalchemy import Column, Index, MetaData, String, Table, Uuid

from chassis.instants import Instant
from chassis.latest import Latest
from contracts.events.organization import OrganizationSettingsChanged

METADATA = MetaData()
SETTINGS = Latest("organizations", METADATA, OrganizationSettingsChanged)
READINGS = Table(
    "readings",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("number", String(40), primary_key=True),
    Column("covered_until", Instant),
    Column("due_at", Instant, nullable=False, index=True),
    Column("soonest_at", Instant, nullable=False),
    Column("holder", Uuid),
    Column("held_until", Instant),
)
"""How far each number's texts were read at Twilio, and who reads them now."""
KNOWN_TEXTS = Table(
    "known_texts",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("message_sid", String(80), primary_key=True),
    Column("at", Instant, nullable=False),
    Index("known_texts_by_age", "at"),
)
