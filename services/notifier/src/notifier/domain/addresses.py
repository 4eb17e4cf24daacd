"""Who is told: addresses that a mail can be sent to, each once."""

import re
from collections.abc import Iterable

# One plain address, and nothing that could end a header or begin another recipient.
_PLAIN = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]+")
_LONGEST = 254


def usable(addresses: Iterable[str | None]) -> tuple[str, ...]:
    """Return the addresses that are one, without repeats whatever their case, in their order."""
    found: dict[str, str] = {}
    for each in addresses:
        address = (each or "").strip()
        if len(address) <= _LONGEST and _PLAIN.fullmatch(address):
            local, _, domain = address.rpartition("@")
            if not (local.startswith(".") or local.endswith(".") or ".." in local):
                found.setdefault(f"{local}@{domain}".casefold(), address)
    return tuple(found.values())
