"""What is asked of Twilio and what it answers; no number and no text shows in a repr."""

from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

Sid = Annotated[str, Field(pattern=r"^(SM|MM)[0-9a-fA-F]{32}$")]


def _rfc2822(value: object) -> object:
    return parsedate_to_datetime(value) if isinstance(value, str) else value


TwilioDate = Annotated[AwareDatetime, BeforeValidator(_rfc2822)]


class _Quiet(BaseModel):
    # What doesn't validate must not be quoted: it would put a number or a text into a log.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, validate_by_name=True)


class SendRequest(_Quiet):
    """One text to send: from a number or by a Messaging Service, as one of the two says."""

    to: str = Field(repr=False)
    body: str = Field(repr=False)
    from_: str | None = Field(default=None, repr=False)
    messaging_service_sid: str | None = None
    status_callback: str | None = Field(default=None, repr=False)
    validity_period_seconds: int | None = None

    def fields(self) -> list[tuple[str, str]]:
        """Give the form that Twilio takes."""
        fields = [("To", self.to), ("Body", self.body)]
        if self.from_ is not None:
            fields.append(("From", self.from_))
        if self.messaging_service_sid is not None:
            fields.append(("MessagingServiceSid", self.messaging_service_sid))
        if self.status_callback is not None:
            fields.append(("StatusCallback", self.status_callback))
        if self.validity_period_seconds is not None:
            fields.append(("ValidityPeriod", str(self.validity_period_seconds)))
        return fields


class Sent(_Quiet):
    """Twilio accepted the text; nobody knows yet whether it arrives."""

    sid: Sid
    status: str
    segments: int = Field(validation_alias="num_segments")
    price: Decimal | None = None


class ListedMessage(_Quiet):
    """A text as Twilio knows it now. `sent_at` is None until it has left Twilio."""

    sid: Sid
    status: str
    to: str = Field(repr=False)
    from_: str | None = Field(default=None, validation_alias="from", repr=False)
    messaging_service_sid: str | None = None
    body: str = Field(repr=False)
    direction: str
    segments: int = Field(validation_alias="num_segments")
    price: Decimal | None = None
    error_code: int | None = None
    created_at: TwilioDate = Field(validation_alias="date_created")
    sent_at: TwilioDate | None = Field(default=None, validation_alias="date_sent")


class Page(_Quiet):
    """One page of a list, and where the next one is."""

    messages: list[ListedMessage]
    next_page_uri: str | None = None

    def all_before(self, time: datetime) -> bool:
        """Say whether nothing here is as new as that."""
        return all(message.created_at < time for message in self.messages)


class Problem(_Quiet):
    """Twilio's error body."""

    code: int
    message: str = Field(default="", repr=False)
