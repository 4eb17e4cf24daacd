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

    twilio_url: str = Field(
        default="https://api.twilio.com",
        validation_alias=AliasChoices("TEXTMANAGER_INGRESS_TWILIO_URL", "TEXTMANAGER_TWILIO_URL"),
    )
    catch_up_seconds: float = Field(default=300.0, gt=0)
    """How often Twilio's list of the texts to each number is read, for those we missed."""
    catch_up_pause_seconds: float = Field(default=30.0, gt=0)
    """How long after a reading the next one begins at the soonest, however much went wrong."""
    catch_up_overlap_seconds: float = Field(default=900.0, ge=0)
    """How far a reading goes back behind the last one; Twilio doesn't say when a text shows."""
    catch_up_first_seconds: float = Field(default=86_400.0, gt=0)
    """How far the first reading of a number goes back."""
    catch_up_lease_seconds: float = Field(default=120.0, gt=0)
    """How long one process keeps a number's reading to itself."""
    catch_up_at_once: int = Field(default=4, ge=1)
    """How many numbers' lists are read at the same time."""

    @field_validator("public_url")
    @classmethod
    def _is_a_base(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or "?" in url or "#" in url:
            raise ValueError("TEXTMANAGER_PUBLIC_URL must be an address such as https://host/path")
        return url.rstrip("/")
