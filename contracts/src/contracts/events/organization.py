"""An organisation and its settings; the newest of each is kept for ever (compacted)."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

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
    replies: Literal["twilio", "us"] = "twilio"
    """Who answers a STOP or START: Twilio or the network, which do by default, or we (TM-20)."""
    segments_per_day: int | None = Field(default=None, ge=0)
    """The number's own limit a day, where its verification allows less than the organisation's."""


class Prices(Value):
    """What texts cost the organisation; without a price no cost is shown."""

    currency: str = "USD"
    segment: Decimal | None = Field(default=None, ge=0)
    failed_message: Decimal | None = Field(default=None, ge=0)
    """Twilio's fee for a message that it accepted and that failed (TM-22)."""


class SendingStop(Value):
    """Nothing of the organisation leaves until somebody lifts the stop (X-6)."""

    since: AwareDatetime
    by: str
    reason: str = ""


class ImisAccess(Value):
    """Where an organisation's iMIS is, and the account that runs use."""

    url: str
    version: Literal["ems", "2017"] = "ems"
    username: str
    password_encrypted: str
    saved: int | None = None
    """The number of the settings with which the account was saved; None: each saved it anew."""
    category_column: str = "CATEGORY"
    """The activity column that the staff site shows as "CEU Type"."""
    staff_logins: tuple[str, ...] = ()
    """Who may sign in where the site tells no roles (2017); nobody else may (TM-1)."""


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
    write_when: Literal["sent", "delivered"] = "sent"
    """From which status on a text is written to iMIS (TM-8)."""
    write_unsubscribed_at: Literal["next_text", "stop"] = "next_text"
    """Whether TEXTUNSUB is written when the member would have been texted, or at the STOP."""
    locale: str = "en-US"
    """How merged dates, money and numbers read (TM-7)."""
    leave_out_landlines: bool = False
    recipients_zone: str | None = None
    """The time zone of all the organisation's members, if they share one (X-4)."""
    archive_after_days: int = Field(default=90, ge=1)
    spike_errors: int = Field(default=20, ge=1)
    spike_window: int = Field(default=100, ge=1)
    """So many of one error among so many newest outcomes pause a campaign (X-7)."""
    shrink_percent: int = Field(default=50, ge=1, le=100)
    """An audience smaller than this share of the last one raises an alarm (X-20)."""
    prices: Prices = Prices()
    stopped: SendingStop | None = None
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

    @property
    def account_sequence(self) -> int:
        """The number of the settings that saved iMIS's account as it is.

        What iMIS refused stays refused until this is higher: another setting mends no password.
        """
        saved = self.settings.imis.saved
        return self.sequence if saved is None else saved
