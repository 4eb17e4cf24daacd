"""Signs webhooks as Twilio does.

https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import quote_plus


def signature(token: bytes, url: str, fields: Mapping[str, str]) -> str:
    """Give X-Twilio-Signature: HMAC-SHA1 over the URL and the sorted names and values.

    `url` is the full one with its query, without its fragment.
    """
    signed = url + "".join([name + fields[name] for name in sorted(fields)])
    return base64.b64encode(hmac.digest(token, signed.encode(), "sha1")).decode()


def form(fields: Mapping[str, str]) -> bytes:
    """Encode fields as a form; blank ones stay, for they are signed too."""
    return "&".join([f"{name}={_quote(value)}" for name, value in fields.items()]).encode()


def _quote(value: str) -> str:
    # Most values are ids and words, and this runs for every callback.
    return value if value.isalnum() and value.isascii() else quote_plus(value)
