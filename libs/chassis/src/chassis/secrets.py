"""Credentials at rest, and names for what must not be named: both under the environment's key."""

import base64
import hashlib
import hmac
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr


class SecretBox:
    """Encrypts and decrypts short secrets."""

    def __init__(self, key: SecretStr) -> None:
        self._fernet = Fernet(key.get_secret_value().encode())

    def seal(self, secret: SecretStr) -> str:
        """Return the encrypted form, fit for an event or a column."""
        return self._fernet.encrypt(secret.get_secret_value().encode()).decode()

    def open(self, sealed: str) -> SecretStr:
        """Return the secret; raises `WrongKey` when another key sealed it."""
        try:
            return SecretStr(self._fernet.decrypt(sealed.encode()).decode())
        except InvalidToken as error:
            raise WrongKey("TEXTMANAGER_SECRET_KEY is not the key that sealed this") from error


class WrongKey(Exception):
    """The secret was sealed under another key."""


class Fingerprints:
    """Names personal things, such as phone numbers, so that nobody without the key can guess them.

    HMAC-SHA256 under a key of the organisation's own, itself derived from the secret key: one
    number has unrelated fingerprints in two organisations.
    """

    def __init__(self, key: SecretStr) -> None:
        self._key = base64.urlsafe_b64decode(key.get_secret_value().encode())
        self._keys: dict[UUID, bytes] = {}

    def of(self, organization_id: UUID, *parts: str) -> str:
        """Return the fingerprint of these parts together, in hexadecimal."""
        key = self._keys.get(organization_id)
        if key is None:
            purpose = b"fingerprint:" + organization_id.bytes
            key = self._keys[organization_id] = hmac.digest(self._key, purpose, hashlib.sha256)
        said = b"".join(len(part).to_bytes(4, "big") + part for part in map(str.encode, parts))
        return hmac.digest(key, said, hashlib.sha256).hex()
