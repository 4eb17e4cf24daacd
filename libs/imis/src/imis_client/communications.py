"""Entries of the Communication Log (Interactions), which only EMS sites have.

An entry is two entities: the log with its subject and text, and a recipient that puts it on a
member's record. Their shapes are not documented in full; nothing outside this module knows them.
"""

import json
from typing import Any

from imis_client.errors import InDoubt
from imis_client.wire import check_success, objects, text_of, values

SMS = 1
"""The message type that the staff site shows as a text message."""

_ID = "CommunicationLogId"


def log_body(subject: str, html: str) -> bytes:
    """Write the body of `POST /api/CommunicationLog`; iMIS sets the date itself."""
    return _body("CommunicationLogData", {"Subject": subject, "Html": html})


def recipient_body(log_id: str, party_id: str, address: str) -> bytes:
    """Write the body of `POST /api/CommunicationLogRecipient`."""
    fields = {_ID: log_id, "PartyId": party_id, "Address": address, "MessageType": SMS}
    return _body("CommunicationLogRecipientData", fields)


def log_id_of(answer: dict[str, Any], what: str) -> str:
    """Give the id of what was just written; an answer without one leaves it in doubt."""
    check_success(answer, what)
    if not (log_id := id_in(answer)):
        raise InDoubt(f"iMIS answered {what} without an id; it may have been done.")
    return log_id


def id_in(item: dict[str, Any]) -> str:
    """Give the id of an entry."""
    if told := _field(item, _ID):
        return told
    identity = item.get("Identity")
    elements = values(identity.get("IdentityElements")) if isinstance(identity, dict) else []
    return text_of(elements[0]) if elements else ""


def html_in(item: dict[str, Any]) -> str:
    """Give the text of an entry; empty where iMIS leaves it out of a list."""
    return _field(item, "Html")


def is_recipient(item: dict[str, Any], log_id: str, party_id: str) -> bool:
    """Say whether an item puts this entry on this member's record."""
    return _field(item, _ID) == log_id and _field(item, "PartyId") == party_id


def _field(item: dict[str, Any], name: str) -> str:
    """Read a field of an entity of its own kind, or of a generic one."""
    if name in item:
        return text_of(item[name])
    held = {text_of(p.get("Name")): p.get("Value") for p in objects(item.get("Properties"))}
    return text_of(held.get(name))


def _body(name: str, fields: dict[str, object]) -> bytes:
    contract = f"Asi.Soa.Communications.DataContracts.{name}, Asi.Contracts"
    return json.dumps({"$type": contract} | fields).encode()
