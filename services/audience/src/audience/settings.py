"""What the audience service is told by its environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class AudienceSettings(BaseSettings):
    """The audience service's own settings."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_AUDIENCE_", frozen=True)

    runs_at_once: int = Field(default=64, ge=1)
    """How many runs one process has in hand at the same time; most of them wait for their iMIS."""
    busy_at_once: int = Field(default=4, ge=1)
    """How many of those work on rows while the others wait."""
    runs_per_organization: int = Field(default=1, ge=1)
    """How many of those may be one organisation's, over all processes."""
    previews_at_once: int = Field(default=64, ge=1)
    previews_per_organization: int = Field(default=1, ge=1)
    lease_seconds: float = Field(default=30.0, gt=0)
    """After how long without a sign of life a process's work is taken over."""
    look_again_seconds: float = Field(default=1.0, gt=0)
    """How long a worker without work sleeps at most before it looks again."""
