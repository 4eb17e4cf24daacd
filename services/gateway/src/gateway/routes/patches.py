"""Merge patches (RFC 7396): what is left out stays, null goes back to the default."""

from typing import Any


def merged(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return a document with a patch applied."""
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            under = result.get(name)
            result[name] = merged(under if isinstance(under, dict) else {}, value)
        else:
            result[name] = value
    return result
