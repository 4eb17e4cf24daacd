"""What the projections are told by their environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProjectionsSettings(BaseSettings):
    """The projections' own settings."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_PROJECTIONS_", frozen=True)

    events_at_once: int = Field(default=2000, ge=1, le=10_000)
    """How many events one transaction takes at most."""
    look_seconds: float = Field(default=0.3, gt=0)
    """How often it is looked whether another generation serves."""
