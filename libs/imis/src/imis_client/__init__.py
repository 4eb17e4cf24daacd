"""The iMIS REST client, its errors told apart by what the caller may do next."""

from imis_client.client import ImisClient, login
from imis_client.errors import (
    BadRequest,
    CredentialsRejected,
    Forbidden,
    ImisError,
    InDoubt,
    NotFound,
    TryAgain,
)
from imis_client.models import (
    Activity,
    Column,
    Entry,
    Folder,
    FoundActivity,
    Page,
    Prompt,
    QueryDefinition,
    Token,
    Version,
)

__all__ = [
    "Activity",
    "BadRequest",
    "Column",
    "CredentialsRejected",
    "Entry",
    "Folder",
    "Forbidden",
    "FoundActivity",
    "ImisClient",
    "ImisError",
    "InDoubt",
    "NotFound",
    "Page",
    "Prompt",
    "QueryDefinition",
    "Token",
    "TryAgain",
    "Version",
    "login",
]
