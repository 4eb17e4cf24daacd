"""Credentials at rest: encrypted under a key from the environment."""

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
