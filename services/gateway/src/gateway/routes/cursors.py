"""Opaque cursors: where the next page begins."""

import base64
import binascii
import re
from uuid import UUID

from gateway.domain.refusals import Fault, Unacceptable

_ROW = re.compile(rb"row:([0-9]{1,9})")


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
    return base64.urlsafe_b64encode(b"row:%d" % row).decode().rstrip("=")


def read_row_cursor(cursor: str | None) -> int | None:
    """Return the row that a cursor names."""
    if cursor is None:
        return None
    try:
        found = _ROW.fullmatch(base64.urlsafe_b64decode(cursor + "=="))
    except (ValueError, binascii.Error):
        found = None
    if found is None:
        raise Unacceptable([Fault("cursor", "This is no cursor that we gave.")])
    return int(found[1])
