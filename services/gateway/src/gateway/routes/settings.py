"""`/v1/settings`: what staff set themselves (TM-16, TM-17, TM-19); `/v1/countries`."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StrictBool, ValidationError

from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from gateway.domain.records import Answer
from gateway.domain.refusals import Unacceptable
from gateway.domain.regions import all_countries
from gateway.handlers import organizations as handlers
from gateway.routes.deps import ExpectedVersion, Staff, The, etag
from gateway.routes.organization_shapes import (
    Fields,
    ImisFields,
    NumberFields,
    OrganizationView,
    SettingsFields,
    TwilioFields,
)
from gateway.routes.patches import merged
from gateway.routes.problems import as_response, faults_of
from gateway.routes.texts import (
    Country,
    Currency,
    Email,
    Language,
    Name,
    Price,
    WholeNumber,
    Zone,
)

router = APIRouter(tags=["organisations"])


class PricesPatch(Fields):
    """A change of what texts cost."""

    currency: Currency | None = None
    segment: Price | None = None
    failed_message: Price | None = None


class SettingsPatch(Fields):
    """A merge patch (RFC 7396): what is left out stays, null goes back to the default."""

    name: Name | None = None
    default_email: Email | None = None
    default_country: Country | None = None
    time_zone: Zone | None = None
    locale: Language | None = None
    segments_per_run: WholeNumber | None = None
    segments_per_day: WholeNumber | None = None
    over_day_limit: Literal["hold", "leave_out"] | None = None
    opt_out_of: Literal["number", "organization"] | None = None
    write_test_runs: StrictBool | None = None
    write_when: Literal["sent", "delivered"] | None = None
    write_unsubscribed_at: Literal["next_text", "stop"] | None = None
    leave_out_landlines: StrictBool | None = None
    recipients_zone: Zone | None = None
    archive_after_days: WholeNumber | None = None
    spike_errors: WholeNumber | None = None
    spike_window: WholeNumber | None = None
    shrink_percent: WholeNumber | None = None
    prices: PricesPatch | None = None
    numbers: list[NumberFields] | None = Field(
        default=None, max_length=100, description="All of them: a list is replaced as a whole."
    )

    def applied_to(self, settings: OrganizationSettings) -> OrganizationSettings:
        """Return the changed settings; raise when they are none any more."""
        before = settings.model_dump(include=set(SettingsFields.model_fields), mode="json")
        document = merged(before, self.model_dump(exclude_unset=True, mode="json"))
        try:
            fields = SettingsFields.model_validate(document)
        except ValidationError as error:
            raise Unacceptable(faults_of(error.errors(include_input=False))) from error
        return settings.model_copy(update=fields.settled())


class CountryView(BaseModel):
    """A country that can be the default of numbers without a prefix."""

    region: str = Field(examples=["US"])
    prefix: str = Field(examples=["+1"])
    name: str = Field(examples=["United States"])


class CountryList(BaseModel):
    """Every country with phone numbers of its own, by name."""

    items: list[CountryView]


def _answer(changed: OrganizationSettingsChanged) -> Response:
    shown = OrganizationView.of(changed.organization_id, changed.settings)
    body = shown.model_dump_json().encode()
    return as_response(Answer(200, body, {"ETag": etag(changed)}))


@router.get("/v1/settings", response_model=OrganizationView, summary="Show the settings")
async def get_settings(gateway: The, staff: Staff) -> Response:
    """Everything but the secrets; the ETag is their version."""
    async with gateway.desk.read() as reading:
        known = await handlers.newest_settings(staff.organization_id, reading=reading)
    return _answer(known)


@router.patch("/v1/settings", response_model=OrganizationView, summary="Change the settings")
async def patch_settings(
    patch: SettingsPatch, gateway: The, staff: Staff, expected: ExpectedVersion
) -> Response:
    """Limits and numbers count at once; the country, the locale and the like from the next run."""
    return _answer(
        await handlers.edit_settings(
            staff.organization_id,
            patch.applied_to,
            expected=expected,
            desk=gateway.desk,
            clock=gateway.clock,
        )
    )


@router.put("/v1/settings/imis", response_model=OrganizationView, summary="Save iMIS's account")
async def put_imis(
    fields: ImisFields, gateway: The, staff: Staff, expected: ExpectedVersion
) -> Response:
    """The account that runs use. Whatever waits for it goes on, the same password given or not."""
    access = fields.sealed(gateway.seal)
    return _answer(
        await handlers.edit_settings(
            staff.organization_id,
            lambda settings: settings.model_copy(update={"imis": access}),
            expected=expected,
            desk=gateway.desk,
            clock=gateway.clock,
        )
    )


@router.put("/v1/settings/twilio", response_model=OrganizationView, summary="Save Twilio's account")
async def put_twilio(
    fields: TwilioFields, gateway: The, staff: Staff, expected: ExpectedVersion
) -> Response:
    """The token is kept encrypted and never shown again."""
    access = fields.sealed(gateway.seal)
    return _answer(
        await handlers.edit_settings(
            staff.organization_id,
            lambda settings: settings.model_copy(update={"twilio": access}),
            expected=expected,
            desk=gateway.desk,
            clock=gateway.clock,
        )
    )


@router.get("/v1/countries", summary="List countries")
async def get_countries(staff: Staff) -> CountryList:
    """What `default_country` can be, by any of the three."""
    del staff
    items = [
        CountryView(region=each.region, prefix=each.prefix, name=each.name)
        for each in all_countries()
    ]
    return CountryList(items=items)
