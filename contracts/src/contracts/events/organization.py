"""An organisation and its settings; the newest of each is kept for ever (compacted)."""

from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.events.base import Event, Value
from contracts.personal import Personal


class Verification(StrEnum):
    """How far a sending number's registration with the carriers has come (TM-19)."""

    RESTRICTED = "restricted"
    PENDING = "pending"
    VERIFIED = "verified"


class SendingNumber(Value):
    """A number that the organisation texts from, with the rate that its carrier allows."""

    number: str
    segments_per_second: float = Field(gt=0)
    verification: Verification = Verification.VERIFIED


class ImisAccess(Value):
    """Where an organisation's iMIS is, and the account that runs use."""

    url: str
    version: Literal["ems", "2017"] = "ems"
    username: str
    password_encrypted: str
    category_column: str = "CATEGORY"
    """The activity column that the staff site shows as "CEU Type"."""


class TwilioAccess(Value):
    """An organisation's Twilio account."""

    account_sid: str
    auth_token_encrypted: str


class OrganizationSettings(Value):
    """All that an organisation can set."""

    name: str
    cloud_id: str
    default_email: Personal[str | None] = None
    default_country: str = "US"
    time_zone: str = "UTC"
    segments_per_run: int = Field(default=10_000, ge=1)
    segments_per_day: int = Field(default=3_000, ge=1)
    over_day_limit: Literal["hold", "leave_out"] = "hold"
    """What becomes of texts over the day's limit: they wait for the next day, or are left out."""
    opt_out_of: Literal["number", "organization"] = "number"
    """Whether a STOP is about the number that it was sent to, or about all of them (TM-20)."""
    write_test_runs: bool = False
    """Whether a TEST campaign's messages get activities too (TM-6)."""
    numbers: tuple[SendingNumber, ...] = ()
    imis: ImisAccess
    twilio: TwilioAccess


class OrganizationSettingsChanged(Event):
    """The organisation's settings are now these; secrets in them are encrypted."""

    topic: ClassVar[str] = "organization.settings"
    source: ClassVar[str] = "gateway"

    type: Literal["organization.settings-changed.v1"] = "organization.settings-changed.v1"
    settings: OrganizationSettings

    @property
    def subject(self) -> UUID:
        """The organisation."""
        return self.organization_id
