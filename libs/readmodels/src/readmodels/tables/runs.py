"""Campaigns and their runs."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, Uuid

from chassis.instants import Instant
from readmodels.tables.base import METADATA

CAMPAIGNS = Table(
    "campaigns",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
)
RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("campaign_id", Uuid, nullable=False),
    Column("name", Text),
    Column("occurrence", String(80)),
    Column("mode", String(8)),
    Column("from_number", String(32)),
    Column("due_at", Instant),
    Column("state", String(16), nullable=False),
    Column("state_sequence", Integer, nullable=False),
    Column("failure", Text),
    Column("rows", Integer),
    Column("recipients", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    # The run whose missed texts this one sends.
    Column("earlier_run_id", Uuid, index=True),
    Column("alarm", String(32)),
    Column("alarm_detail", Text),
    Column("alarm_code", Integer),
    Column("alarm_advice", Text),
    Column("alarm_sequence", Integer, nullable=False, server_default="0"),
    # Why it waited for the organisation's iMIS, if it did.
    Column("waiting", Text),
    Column("waiting_sequence", Integer, nullable=False, server_default="0"),
    Index("runs_by_campaign", "organization_id", "campaign_id"),
)
RUN_HOLDS = Table(
    "run_holds",
    METADATA,
    Column("run_id", Uuid, primary_key=True),
    Column("held_by", String(16), primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("segments", Integer, nullable=False),
    Column("left_out", Boolean, nullable=False),
    Column("until", Instant),
    Column("error_code", Integer),
    Column("at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
)
"""What kept some of a run's texts back, or left them out: the newest of each cause."""
SKIPPED = Table(
    "skipped",
    METADATA,
    Column("campaign_id", Uuid, primary_key=True),
    Column("first", Instant, primary_key=True),
    Column("organization_id", Uuid, nullable=False),
    Column("last", Instant, nullable=False),
    Column("occurrences", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("sequence", Integer, nullable=False),
)
"""Times of recurring campaigns that passed unused."""
