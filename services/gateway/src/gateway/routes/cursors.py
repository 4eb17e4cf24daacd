"""Opaque cursors: where the next page begins."""

import base64
import binascii
import re
from uuid import UUID

from gateway.domain.refusals import Fault, Unacceptable

AFTER_CAMPAIGN = r"^[A-Za-z0-9_-]{22}$"
AFTER_ROW = r"^row-[0-9]{1,9}$"


def cursor_of(campaign_id: UUID) -> str:
    """Return the cursor of what comes after a thing."""
    return base64.urlsafe_b64encode(campaign_id.bytes).decode().rstrip("=")


def read_cursor(cursor: str | None) -> UUID | None:
    """Return the thing that a cursor names."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error) as error:
        raise Unacceptable([Fault("cursor", "This is no cursor that we gave.")]) from error


def row_cursor(row: int) -> str:
    """Return the cursor of what comes after a row."""
    return f"row-{row}"


def read_row_cursor(cursor: str | None) -> int | None:
    """Return the row that a cursor names."""
    if cursor is None:
        return None
    if not re.fullmatch(AFTER_ROW, cursor):
        raise Unacceptable([Fault("cursor", "This is no cursor that we gave.")])
    return int(cursor.removeprefix("row-"))
