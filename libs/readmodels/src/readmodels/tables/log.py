"""Where the tables stand in the log, and what is missing of it."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Uuid

from chassis.instants import Instant
from readmodels.tables.base import METADATA

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
)
MARKERS = Table(
    "markers",
    METADATA,
    Column("organization_id", Uuid, primary_key=True),
    Column("changes", BigInteger, nullable=False),
)
"""A number an organisation that rises with whatever changes; it is no function of the log."""
