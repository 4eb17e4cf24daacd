"""One record as a person may see it: without personal data, unless all of it is asked for."""

from typing import TYPE_CHECKING, Any

from chassis.letters import OURS, own_headers, with_values
from contracts.envelope import Undecodable, decode
from contracts.personal import loggable
from textmanager.dlq_letters import printable

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

PLAIN = ("ce_", OURS, "content-type", "traceparent")


def shown(record: "ConsumerRecord[bytes, bytes]", *, raw: bool) -> dict[str, Any]:
    """Return a record's headers and event; `raw` leaves nothing out."""
    if raw:
        return {
            "headers": [[printable(name), _text(value)] for name, value in record.headers],
            "key": _text(record.key),
            "value": _text(record.value),
        }
    headers = [
        [printable(name), _text(value) if name.startswith(PLAIN) else _length(value)]
        for name, value in record.headers
    ]
    return {"headers": headers, "event": _event(record)}


def _event(record: "ConsumerRecord[bytes, bytes]") -> Any:
    own = with_values(own_headers(record.headers))
    try:
        return loggable(decode(own, record.value).event)
    except Undecodable as error:
        return f"can't be read by this version ({error.reason}): {_length(record.value)}"


def _text(value: bytes | None) -> str | None:
    return None if value is None else printable(value.decode("utf-8", "backslashreplace"))


def _length(value: bytes | None) -> str:
    return "no value" if value is None else f"{len(value)} bytes, which --raw shows"
