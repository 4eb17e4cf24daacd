"""What the status service is told by its environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StatusSettings(BaseSettings):
    """The status service's own settings."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_STATUS_", frozen=True)

    facts_at_once: int = Field(default=1000, ge=1, le=5000)
    """How many facts one transaction takes at most."""
