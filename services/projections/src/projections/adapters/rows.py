"""A row's columns: those that the figures depend on, and those that a fact describes."""

from collections.abc import Sequence
from typing import Any, assert_never

from contracts.events.campaign import Mode
from contracts.events.message import MessageStatusChanged
from projections.domain import Addressed, LeftOut, Omission, Row, RowFact
from readmodels.views import RowStatus

DECIDING = (
    "addressed",
    "left_out",
    "status",
    "status_sequence",
    "segments",
    "mode",
    "queued_at",
    "attempted_at",
    "status_at",
)
"""The columns of a `Row` that a fact may change, in its order."""
FIXED = frozenset({"message_id", "organization_id", "run_id", "campaign_id"})
"""What a row says from the first and for ever; to set an indexed column anew has its price."""

_OMISSIONS = {str(each): each for each in Omission}
_STATUSES = {str(each): each for each in RowStatus}
_MODES = {str(each): each for each in Mode}


def row_of(fact: RowFact, deciding: Sequence[Any]) -> Row:
    """Return the row of a fact from its deciding columns."""
    addressed, left_out, status, sequence, segments, mode, *at = deciding
    return Row(
        fact.organization_id,
        fact.run_id,
        fact.campaign_id,
        addressed == 1,
        _OMISSIONS.get(left_out),
        _STATUSES.get(status),
        sequence,
        segments,
        _MODES.get(mode),
        *at,
    )


def columns_of(fact: RowFact, row: Row) -> dict[str, Any]:
    """Return the columns that change: the deciding ones, and what this fact describes."""
    columns = {name: getattr(row, name) for name in DECIDING}
    columns["message_id"] = fact.message_id
    columns["organization_id"] = fact.organization_id
    columns["run_id"] = fact.run_id
    columns["campaign_id"] = fact.campaign_id
    columns["addressed"] = int(row.addressed)
    match fact:
        case MessageStatusChanged():
            columns["error_code"] = fact.error_code
            columns["sid"] = fact.sid
            return columns
        case Addressed():
            columns["to"] = fact.to
            columns["text"] = fact.text
        case LeftOut():
            columns["reason"] = fact.reason
            if fact.by is Omission.REJECTED:
                columns["to"] = fact.phone
        case _:
            assert_never(fact)
    columns["recipient_id"] = fact.recipient_id
    columns["row"] = fact.row
    columns["imis_id"] = fact.imis_id
    return columns
