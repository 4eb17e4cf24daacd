"""The secrets of one state directory: drawn once, readable by their owner alone."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from textmanager.files import write_atomically


def secret_key(state_dir: Path) -> str:
    """The Fernet key that the organisations' credentials are encrypted under."""
    return _kept(
        state_dir / "keys" / "secret.key",
        lambda: base64.urlsafe_b64encode(os.urandom(32)).decode(),
    )


def operator_token(state_dir: Path) -> str:
    """The bearer token of whoever runs this installation."""
    return _kept(state_dir / "keys" / "operator.token", lambda: secrets.token_urlsafe(32))


def database_password(state_dir: Path) -> str:
    """The password of the embedded PostgreSQL's only user; safe inside an address."""
    return _kept(state_dir / "keys" / "database.password", lambda: secrets.token_urlsafe(32))


def _kept(path: Path, draw: Callable[[], str]) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, draw(), mode=0o600)
    return path.read_text().strip()
