"""First."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "campaign_controls",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("resumed_at", sa.BigInteger(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("campaign_id"),
    )
    op.create_table(
        "cancelled_runs",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_table(
        "consents",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("from_number", sa.String(length=20), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("opted_out", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "from_number", "number"),
    )
    op.create_table(
        "day_usage",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("from_number", sa.String(length=20), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "day", "from_number"),
    )
    op.create_table(
        "instances",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "lane_runs",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("from_number", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("urgent", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("organization_id", "from_number", "run_id"),
    )
    op.create_table(
        "messages",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("imis_id", sa.Text(), nullable=False),
        sa.Column("from_number", sa.String(length=20), nullable=False),
        sa.Column("to_number", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("write_to", sa.String(length=20), nullable=False),
        sa.Column("log_subject", sa.Text(), nullable=True),
        sa.Column("urgent", sa.Integer(), nullable=True),
        sa.Column("confirms_opt_out", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("queued_event", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("window_until", sa.BigInteger(), nullable=True),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.String(length=10), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("instance", sa.String(length=80), nullable=True),
        sa.Column("process", sa.Uuid(), nullable=True),
        sa.Column("look_at", sa.BigInteger(), nullable=True),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(length=34), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column("open_claim", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index(op.f("ix_messages_sid"), "messages", ["sid"], unique=False)
    op.create_index(
        "messages_open", "messages", ["open_claim", "state", "lease_until"], unique=False
    )
    op.create_index(
        "messages_urgent",
        "messages",
        ["organization_id", "from_number", "state", "queued_event"],
        unique=False,
        sqlite_where=sa.text("urgent IS NOT NULL"),
        postgresql_where=sa.text("urgent IS NOT NULL"),
    )
    op.create_index(
        "messages_waiting",
        "messages",
        ["organization_id", "from_number", "run_id", "state", "row", "campaign_id", "urgent"],
        unique=False,
    )
    op.create_index(
        "messages_windows",
        "messages",
        ["state", "window_until"],
        unique=False,
        sqlite_where=sa.text("place IS NOT NULL"),
        postgresql_where=sa.text("place IS NOT NULL"),
    )
    op.create_index(
        "one_open_claim", "messages", ["from_number", "to_number", "open_claim"], unique=True
    )
    op.create_table(
        "organizations",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("instance", sa.String(length=80), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sqlite_autoincrement=True,
    )
    op.create_index("outbox_by_instance", "outbox", ["instance", "position"], unique=False)
    op.create_table(
        "resends",
        sa.Column("request", sa.Uuid(), nullable=False),
        sa.Column("earlier_run_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("request"),
    )
    op.create_index(op.f("ix_resends_earlier_run_id"), "resends", ["earlier_run_id"], unique=False)
    op.create_table(
        "run_holds",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("held_by", sa.String(length=20), nullable=False),
        sa.Column("mark", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "held_by", "mark"),
    )
    op.create_table(
        "run_usage",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("full_from", sa.Integer(), nullable=True),
        sa.Column("full_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
