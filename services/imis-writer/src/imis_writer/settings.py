"""What the imis-writer is told by its environment."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ImisWriterSettings(BaseSettings):
    """The imis-writer's own settings; durations in seconds."""

    model_config = SettingsConfigDict(env_prefix="TEXTMANAGER_IMIS_WRITER_", frozen=True)

    connections: int = Field(default=16, ge=1)
    """How many requests to one organisation's iMIS are under way at most."""
    claim: int = Field(default=128, ge=1)
    """How many activities are claimed in one transaction."""
    connect_timeout: float = Field(default=10.0, gt=0)
    request_timeout: float = Field(default=30.0, gt=0)
    lease: float = Field(default=180.0, gt=0)
    """How long a claim may be acted upon."""
    first_look: float = Field(default=5.0, ge=0)
    """How long after a doubt arose iMIS is asked for the first time."""
    second_look: float = Field(default=60.0, gt=0)
    """How long after the first look the second one follows."""
    refusals: int = Field(default=3, ge=1)
    """How often iMIS refuses an activity before it is listed as refused."""
    refusal_pause: float = Field(default=2.0, ge=0)
    """How long after its first refusal an activity is tried again; doubled by each one."""
    poll: float = Field(default=1.0, gt=0)
    """How often overdue claims, doubts and delayed activities are looked for."""

    @model_validator(mode="after")
    def _outlasts_a_request(self) -> Self:
        if min(self.second_look, self.lease) <= self.request_timeout:
            raise ValueError("second_look and lease must be longer than request_timeout")
        return self
