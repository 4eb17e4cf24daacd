"""What the ingress is told by its environment."""

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngressSettings(BaseSettings):
    """The ingress's own settings."""

    model_config = SettingsConfigDict(
        env_prefix="TEXTMANAGER_INGRESS_", frozen=True, populate_by_name=True
    )

    public_url: str = Field(
        validation_alias=AliasChoices("TEXTMANAGER_INGRESS_PUBLIC_URL", "TEXTMANAGER_PUBLIC_URL")
    )
    """The address that Twilio posts to and signs, whatever stands between it and this process."""
    body_limit: int = Field(default=64 * 1024, ge=1)
    """Bytes of a body; Twilio's are below 2 KiB."""
    body_seconds: float = Field(default=10.0, gt=0)
    """How long a body may take to arrive."""
    log_seconds: float = Field(default=2.0, gt=0)
    """How long Kafka has to acknowledge an event before it goes to the spool."""
    log_pause_seconds: float = Field(default=5.0, gt=0)
    """How long Kafka is left alone after it failed."""
    spool_seconds: float = Field(default=8.0, gt=0)
    """How long the spool may take; Twilio itself waits 15 s for an answer."""
    accounts_seconds: float = Field(default=5.0, gt=0)
    """How old the accounts in memory may be; another process may have taken the news."""

    @field_validator("public_url")
    @classmethod
    def _is_a_base(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or "?" in url or "#" in url:
            raise ValueError("TEXTMANAGER_PUBLIC_URL must be an address such as https://host/path")
        return url.rstrip("/")
