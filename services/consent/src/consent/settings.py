"""What the consent service is told by its environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConsentSettings(BaseSettings):
    """The consent service's own settings."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_CONSENT_", frozen=True)

    facts_at_once: int = Field(default=1000, ge=1, le=5000)
    """How many facts one transaction takes at most."""
    aside_seconds: float = Field(default=30.0, gt=0)
    """How often what was set aside is looked at, besides when settings change."""
