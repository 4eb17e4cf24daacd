"""How organisations' settings look in requests and answers."""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationInfo,
    field_validator,
)

from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    Prices,
    SendingNumber,
    TwilioAccess,
    Verification,
)
from gateway.domain.regions import country_name
from gateway.ports import Seal
from gateway.routes.texts import (
    Country,
    Currency,
    Email,
    Language,
    Name,
    Number,
    Price,
    Secret,
    Text,
    WebAddress,
    WholeNumber,
    Zone,
)

_MANY = 1_000_000_000


class Fields(BaseModel):
    """A part of a request; what it doesn't know it refuses."""

    model_config = ConfigDict(extra="forbid")


class NumberFields(Fields):
    """A number to send from."""

    number: Number
    segments_per_second: float = Field(
        default=3.0, gt=0, le=1_000_000, allow_inf_nan=False, strict=True
    )
    verification: Verification = Verification.VERIFIED
    replies: Literal["twilio", "us"] = Field(
        default="twilio", description="Who answers a STOP: Twilio, which does by default, or we."
    )
    segments_per_day: WholeNumber | None = Field(
        default=None, ge=0, le=_MANY, description="The number's own limit, below the organisation's"
    )


class PriceFields(Fields):
    """What texts cost; without a price no cost is shown."""

    currency: Currency = "USD"
    segment: Price | None = None
    failed_message: Price | None = Field(
        default=None, description="Twilio's fee for a message that it accepted and that failed."
    )


class ImisFields(Fields):
    """The organisation's iMIS, and the account that runs use."""

    url: WebAddress
    version: Literal["ems", "2017"] = "ems"
    username: Name
    password: Secret
    category_column: Annotated[Text, Field(min_length=1, max_length=100)] = "CATEGORY"
    staff_logins: list[Name] = Field(
        default=[],
        max_length=500,
        validate_default=True,
        description="Who may sign in where iMIS tells no roles. A 2017 site tells none: at least "
        "one is needed there.",
    )

    @field_validator("staff_logins")
    @classmethod
    def _somebody_may_sign_in(cls, logins: list[Name], others: ValidationInfo) -> list[Name]:
        if not logins and others.data.get("version") == "2017":
            raise ValueError(
                "must name who may sign in: an iMIS 2017 site doesn't tell who is staff"
            )
        return logins

    def sealed(self, seal: Seal) -> ImisAccess:
        """Return it as the events hold it."""
        bare = self.model_dump(exclude={"password"})
        return ImisAccess(**bare, password_encrypted=seal.seal(self.password))


class TwilioFields(Fields):
    """The organisation's Twilio account."""

    account_sid: Annotated[Text, Field(min_length=1, max_length=64)]
    auth_token: Secret

    def sealed(self, seal: Seal) -> TwilioAccess:
        """Return it as the events hold it."""
        return TwilioAccess(
            account_sid=self.account_sid, auth_token_encrypted=seal.seal(self.auth_token)
        )


class SettingsFields(Fields):
    """All that staff can set, but the accounts at iMIS and Twilio."""

    name: Name
    default_email: Email | None = None
    default_country: Country = "US"
    time_zone: Zone = "UTC"
    locale: Language = "en-US"
    segments_per_run: WholeNumber = Field(default=10_000, ge=1, le=_MANY)
    segments_per_day: WholeNumber = Field(default=3_000, ge=1, le=_MANY)
    over_day_limit: Literal["hold", "leave_out"] = Field(
        default="hold",
        description="Texts over the day's limit wait for the next day, or are left out.",
    )
    opt_out_of: Literal["number", "organization"] = Field(
        default="number", description="Whether a STOP is about the number that it came to, or all."
    )
    write_test_runs: StrictBool = False
    write_when: Literal["sent", "delivered"] = "sent"
    write_unsubscribed_at: Literal["next_text", "stop"] = "next_text"
    leave_out_landlines: StrictBool = False
    recipients_zone: Zone | None = Field(
        default=None, description="The time zone of all members, if they share one."
    )
    archive_after_days: WholeNumber = Field(default=90, ge=1, le=100_000)
    spike_errors: WholeNumber = Field(default=20, ge=1, le=100_000)
    spike_window: WholeNumber = Field(default=100, ge=1, le=100_000, validate_default=True)
    shrink_percent: WholeNumber = Field(default=50, ge=1, le=100)
    prices: PriceFields = PriceFields()
    numbers: list[NumberFields] = Field(default=[], max_length=100)

    @field_validator("numbers")
    @classmethod
    def _one_of_each(cls, numbers: list[NumberFields]) -> list[NumberFields]:
        if len({each.number for each in numbers}) != len(numbers):
            raise ValueError("must have each number once")
        return numbers

    @field_validator("spike_window")
    @classmethod
    def _holds_a_spike(cls, window: int, others: ValidationInfo) -> int:
        if window < others.data.get("spike_errors", 0):
            raise ValueError("must be at least spike_errors, or no campaign would ever be paused")
        return window

    def settled(self) -> dict[str, Any]:
        """Return them as the events hold them, by their names."""
        values = self.model_dump(include=set(SettingsFields.model_fields) - {"prices", "numbers"})
        values["prices"] = Prices(**self.prices.model_dump())
        values["numbers"] = tuple(SendingNumber(**each.model_dump()) for each in self.numbers)
        return values


class OrganizationFields(SettingsFields):
    """All that an operator can set for an organisation."""

    imis: ImisFields
    twilio: TwilioFields

    def settings(self, cloud_id: str, seal: Seal) -> OrganizationSettings:
        """Return them as the events hold them, the secrets sealed."""
        return OrganizationSettings(
            **self.settled(),
            cloud_id=cloud_id,
            imis=self.imis.sealed(seal),
            twilio=self.twilio.sealed(seal),
        )


def _shown_price(value: Any) -> Any:
    return format(value, "f") if isinstance(value, Decimal) else value


ShownPrice = Annotated[str | None, BeforeValidator(_shown_price), Field(examples=["0.0083"])]


class NumberView(BaseModel):
    """A number that the organisation sends from."""

    number: str
    segments_per_second: float
    verification: Verification
    replies: Literal["twilio", "us"]
    segments_per_day: int | None


class PricesView(BaseModel):
    """What texts cost the organisation."""

    currency: str
    segment: ShownPrice
    failed_message: ShownPrice


class StopView(BaseModel):
    """Nothing of the organisation leaves since then."""

    since: AwareDatetime
    by: str
    reason: str


class ImisView(BaseModel):
    """The organisation's iMIS, without its password."""

    url: str
    version: str
    username: str
    category_column: str
    staff_logins: list[str]


class TwilioView(BaseModel):
    """The organisation's Twilio account, without its token."""

    account_sid: str


class OrganizationView(BaseModel):
    """An organisation's settings, without its secrets."""

    organization_id: UUID
    cloud_id: str
    name: str
    default_email: str | None
    default_country: str
    default_country_name: str = Field(examples=["United States (+1)"])
    time_zone: str
    locale: str
    segments_per_run: int
    segments_per_day: int
    over_day_limit: Literal["hold", "leave_out"]
    opt_out_of: Literal["number", "organization"]
    write_test_runs: bool
    write_when: Literal["sent", "delivered"]
    write_unsubscribed_at: Literal["next_text", "stop"]
    leave_out_landlines: bool
    recipients_zone: str | None
    archive_after_days: int
    spike_errors: int
    spike_window: int
    shrink_percent: int
    prices: PricesView
    stopped: StopView | None
    numbers: list[NumberView]
    imis: ImisView
    twilio: TwilioView

    @classmethod
    def of(cls, organization: UUID, settings: OrganizationSettings) -> "OrganizationView":
        """Show settings."""
        shown: dict[str, Any] = settings.model_dump(
            exclude={"imis": {"password_encrypted"}, "twilio": {"auth_token_encrypted"}}
        )
        country = country_name(settings.default_country)
        return cls(organization_id=organization, default_country_name=country, **shown)
