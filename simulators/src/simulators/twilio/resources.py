"""Texts as the REST API shows them."""

from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from simulators.twilio.segments import count_segments
from simulators.twilio.store import Inbound, Text

PREFIX = "/2010-04-01/Accounts/"


@lru_cache(maxsize=4)
def rfc2822(second: int) -> str:
    """Write a time as Twilio does; texts of one second share the work."""
    return formatdate(second).replace("-0000", "+0000")


def resource(text: Text, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Show a text as the API does: numbers are strings, the price comes never."""
    service = text.sender.startswith("MG")
    uri = f"{PREFIX}{text.account}/Messages/{text.sid}"
    return {
        "account_sid": text.account,
        "api_version": "2010-04-01",
        "body": entry["body"],
        "date_created": rfc2822(int(text.accepted_at)),
        "date_sent": None if text.sent_at is None else rfc2822(int(text.sent_at)),
        "date_updated": rfc2822(int(text.changed_at)),
        "direction": "outbound-api",
        "error_code": text.error_code,
        "error_message": None,
        "from": None if service else text.sender,
        "messaging_service_sid": text.sender if service else None,
        "num_media": "0",
        "num_segments": str(entry["num_segments"]),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def inbound_resource(text: Inbound) -> dict[str, Any]:
    """Show a text from a person as the API does."""
    at = rfc2822(int(text.at))
    uri = f"{PREFIX}{text.account}/Messages/{text.sid}"
    return {
        "account_sid": text.account,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": at,
        "date_sent": at,
        "date_updated": at,
        "direction": "inbound",
        "error_code": None,
        "error_message": None,
        "from": text.person,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(count_segments(text.body)),
        "price": None,
        "price_unit": "USD",
        "sid": text.sid,
        "status": "received",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.number,
        "uri": f"{uri}.json",
    }


def as_created(text: Text, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Show a text as it was when it was accepted, though it may have moved on since."""
    status = "accepted" if text.sender.startswith("MG") else "queued"
    shown = resource(text, entry)
    return {**shown, "status": status, "date_sent": None, "date_updated": shown["date_created"]}
