"""What the sender is told by its environment."""

from typing import Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SenderSettings(BaseSettings):
    """The sender's own settings; durations in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="TEXTMANAGER_SENDER_", frozen=True, populate_by_name=True
    )

    redis_url: SecretStr = Field(
        validation_alias=AliasChoices("TEXTMANAGER_SENDER_REDIS_URL", "TEXTMANAGER_REDIS_URL")
    )
    twilio_url: str = Field(
        default="https://api.twilio.com",
        validation_alias=AliasChoices("TEXTMANAGER_SENDER_TWILIO_URL", "TEXTMANAGER_TWILIO_URL"),
    )
    public_url: str = Field(
        validation_alias=AliasChoices("TEXTMANAGER_SENDER_PUBLIC_URL", "TEXTMANAGER_PUBLIC_URL")
    )
    """The address under which Twilio reaches the ingress."""

    connections: int = Field(default=200, ge=1)
    """How many requests to Twilio a process has under way for one sending number."""
    connect_timeout: float = 5.0
    request_timeout: float = 15.0
    lease: float = 45.0
    """How long a claim may be posted; longer than a request can take."""
    round: float = Field(default=0.04, gt=0)
    """How often a number's waiting messages are claimed, at most."""
    burst: float = Field(default=1.0, gt=0)
    """How many seconds' worth of segments may leave beyond the rate in a second after a pause."""
    grace: float = 120.0
    """How long after a doubt Twilio's list is asked for the first time."""
    second_look: float = 60.0
    """How long after the first look the second one follows."""
    looks_per_second: float = Field(default=3.0, gt=0)
    """How often an account's list is asked for, at most; each page of it counts."""
    sweep: float = 2.0
    """How often overdue claims and doubts are looked for."""

    @model_validator(mode="after")
    def _a_request_ends_within_its_lease(self) -> Self:
        if self.lease <= self.request_timeout:
            raise ValueError("the lease must be longer than a request may take")
        return self
