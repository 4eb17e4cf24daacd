"""What the status service is told by its environment."""

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StatusSettings(BaseSettings):
    """The status service's own settings; durations in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="TEXTMANAGER_STATUS_", frozen=True, populate_by_name=True
    )

    twilio_url: str = Field(
        default="https://api.twilio.com",
        validation_alias=AliasChoices("TEXTMANAGER_STATUS_TWILIO_URL", "TEXTMANAGER_TWILIO_URL"),
    )
    facts_at_once: int = Field(default=1000, ge=1, le=5000)
    """How many facts one transaction takes at most."""

    first_look: float = Field(default=300.0, gt=0)
    """How long after sending Twilio is asked for a message whose end nobody reported."""
    longest_wait: float = Field(default=6 * 3600.0, gt=0)
    """The wait between two questions doubles up to this."""
    give_up: float = Field(default=72 * 3600.0, gt=0)
    """How long after sending the last question comes."""
    sweep: float = Field(default=5.0, gt=0)
    """How often due messages are looked for."""
    requests_per_second: float = Field(default=10.0, gt=0)
    """How often one account is asked, over all processes."""
    list_from: int = Field(default=20, ge=2)
    """From how many due messages of one number on its texts are listed, a thousand a page."""
    ask_at_once: int = Field(default=200, ge=1)
    """How many messages are asked for one by one in one portion."""
    back_off: float = Field(default=30.0, gt=0)
    """How long an account is left alone that was too busy or did not answer."""
    refused_wait: float = Field(default=300.0, gt=0)
    """How long an account is left alone whose credentials Twilio refused."""
    request_timeout: float = Field(default=20.0, gt=0)
    connect_timeout: float = Field(default=5.0, gt=0)

    stalled_after: float = Field(default=900.0, gt=0)
    """How long nothing may be heard of a run some of whose rows nobody ever spoke of."""
    held_at_most: float = Field(default=50 * 3600.0, gt=0)
    """How long nothing may be heard of a run whose messages all wait."""
    untold_at_most: float = Field(default=24 * 3600.0, gt=0)
    """How long nothing may be heard of a run whose audience is not whole."""
    audit: float = Field(default=60.0, gt=0)
    """How often runs that wait are looked at."""
