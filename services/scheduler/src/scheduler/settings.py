"""What the scheduler is told by its environment."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class SchedulerSettings(BaseSettings):
    """The scheduler's own settings."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_SCHEDULER_", frozen=True)

    look_ahead_seconds: float = 1.0
    """How long the scheduler sleeps at most before it looks at its timers again."""
    grace_seconds: float = 60.0
    """An occurrence that is started later than this was missed (X-5)."""
