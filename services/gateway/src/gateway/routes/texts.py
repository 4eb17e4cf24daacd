"""The kinds of text that a request may hold."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, SecretStr

from gateway.domain.regions import known_currency, known_locale, known_zone, region_of

_UNFIT = re.compile("[\x00\ud800-\udfff]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# What mail is sent to: one plain address. Any other would be saved, and silently never mailed.
_EMAIL_PATTERN = rf"^(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+{_LABEL}$"
_EMAIL = re.compile(_EMAIL_PATTERN)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_YEARS = range(2000, 3000)


def fit(text: str) -> str:
    """Return the text if every database and every encoding can hold it."""
    if _UNFIT.search(text):
        raise ValueError("must not contain NUL or half a surrogate pair")
    return text


def _fit_secret(secret: SecretStr) -> SecretStr:
    fit(secret.get_secret_value())
    return secret


def _stripped(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be one plain e-mail address, such as staff@example.org")
    return text


def _e164(text: str) -> str:
    if not _E164.fullmatch(text):
        raise ValueError("must be a number in E.164 form, such as +18885550123")
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or " " in text:
        raise ValueError("must begin with https:// (or http://) and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no username, password, query or fragment")
    if parts.port == 0:
        raise ValueError("must name a port that exists")
    return text.rstrip("/")


def _whole(value: Any) -> Any:
    """Return 5 for 5.0, which JSON doesn't tell apart; refuse texts and truth values."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or value is None:
        return value
    raise ValueError("must be a whole number")


def _exact(value: Any) -> Any:
    """Return a price as it was written: 0.1 is a tenth, not the nearest binary fraction."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number:
        return str(value)
    if value is None or isinstance(value, str | Decimal):
        return value
    raise ValueError('must be a price such as "0.0083"')


def _from_text(value: Any) -> Any:
    if value is not None and not isinstance(value, str | datetime):
        raise ValueError('must be a time such as "2030-01-31T14:00:00Z"')
    return value


def _plausible(moment: datetime) -> datetime:
    if moment.year not in _YEARS:
        raise ValueError("must be a time of this millennium")
    return moment


# What `fit` and stripping refuse, as far as a JSON Schema can say it.
_WITHOUT_NUL = {"pattern": r"^[^\u0000]*$"}
_NOT_BLANK = {"pattern": r"^[^\u0000]*[^\u0000\s][^\u0000]*$"}
Text = Annotated[str, Field(max_length=1000, json_schema_extra=_WITHOUT_NUL), AfterValidator(fit)]
Subject = Annotated[str, Field(max_length=200, json_schema_extra=_WITHOUT_NUL), AfterValidator(fit)]
LongText = Annotated[
    str, Field(max_length=5000, json_schema_extra=_WITHOUT_NUL), AfterValidator(fit)
]
Name = Annotated[
    str,
    BeforeValidator(_stripped),
    Field(
        min_length=1,
        max_length=200,
        examples=["Renewal reminder"],
        json_schema_extra=_NOT_BLANK,
    ),
    AfterValidator(fit),
]
Email = Annotated[
    str,
    Field(
        max_length=254,
        examples=["staff@example.org"],
        json_schema_extra={"pattern": _EMAIL_PATTERN},
    ),
    AfterValidator(fit),
    AfterValidator(_email),
]
Number = Annotated[
    str,
    Field(
        max_length=16,
        examples=["+18885550123"],
        json_schema_extra={"pattern": r"^\+[1-9][0-9]{6,14}$"},
    ),
    AfterValidator(_e164),
]
WebAddress = Annotated[
    str,
    Field(max_length=500, examples=["https://members.example.org"]),
    AfterValidator(fit),
    AfterValidator(_web_address),
]
Country = Annotated[
    str,
    Field(max_length=100, examples=["United States", "US", "+44"]),
    AfterValidator(fit),
    AfterValidator(region_of),
]
Language = Annotated[
    str,
    Field(max_length=35, examples=["en-US"]),
    AfterValidator(fit),
    AfterValidator(known_locale),
]
Currency = Annotated[
    str,
    Field(examples=["USD"], json_schema_extra={"pattern": "^[A-Z]{3}$"}),
    AfterValidator(known_currency),
]
Zone = Annotated[
    str,
    Field(max_length=64, examples=["America/New_York"]),
    AfterValidator(fit),
    AfterValidator(known_zone),
]
Price = Annotated[
    Decimal,
    BeforeValidator(_exact),
    Field(ge=0, le=1_000_000, max_digits=16, decimal_places=8, examples=["0.0083"]),
]
WholeNumber = Annotated[int, BeforeValidator(_whole)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=500), AfterValidator(_fit_secret)]
Moment = Annotated[AwareDatetime, BeforeValidator(_from_text), AfterValidator(_plausible)]
