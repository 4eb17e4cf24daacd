"""What a webhook says, and when the log is worth a try; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qs, parse_qsl
from uuid import UUID

from contracts.events.provider import TwilioCallbackReceived, TwilioMessageReceived

FIELDS_LIMIT = 200
_WORD = re.compile(r"[!-~]{1,64}")
"""A SID, a status or a code: short, printable, without white space; it becomes part of ids."""


class Malformed(ValueError):
    """What came is no form, or lacks what every webhook of its kind has."""


class Form:
    """A form's fields in their order; blank ones count, and a name may come several times.

    It is what the SDK's RequestValidator calls a multi-dict.
    """

    __slots__ = ("_values",)

    def __init__(self, body: bytes) -> None:
        """Read an urlencoded body; raises `Malformed` for anything else."""
        self._values: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                body.decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=FIELDS_LIMIT,
            )
        except ValueError as error:
            raise Malformed("not a form") from error
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getall(self, name: str) -> list[str]:
        """Return every value of a field."""
        return self._values[name]

    def first(self, *names: str) -> str:
        """Return the first value of the first of these fields that isn't blank."""
        for name in names:
            for value in self._values.get(name, ()):
                if value:
                    return value
        return ""

    def kept(self) -> dict[str, str]:
        """Return the form as an event keeps it; of a repeated field, its first value."""
        return {name: values[0] for name, values in self._values.items()}


def status_told(
    form: Form, query: str, *, organization_id: UUID, at: datetime
) -> TwilioCallbackReceived:
    """Return the fact in a status callback; raises `Malformed` when it names none."""
    sid = form.first("MessageSid", "SmsSid")
    status = form.first("MessageStatus", "SmsStatus")
    error_code = form.first("ErrorCode")
    if not all(_WORD.fullmatch(word) for word in (sid, status, error_code or "0")):
        raise Malformed("no status of a message")
    return TwilioCallbackReceived(
        organization_id=organization_id,
        occurred_at=at,
        sequence=0,
        message_id=named_message(query),
        account_sid=form.first("AccountSid"),
        message_sid=sid,
        message_status=status,
        error_code=error_code,
        form=form.kept(),
    )


def text_received(
    form: Form, query: str, *, organization_id: UUID, at: datetime
) -> TwilioMessageReceived:
    """Return the fact that a member texted; raises `Malformed` when the text has no SID."""
    del query
    sid = form.first("MessageSid", "SmsSid")
    if not _WORD.fullmatch(sid):
        raise Malformed("no text")
    return TwilioMessageReceived(
        organization_id=organization_id,
        occurred_at=at,
        sequence=0,
        account_sid=form.first("AccountSid"),
        message_sid=sid,
        form=form.kept(),
    )


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """A number of an organisation's, which members text."""

    organization_id: UUID
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedText:
    """A member's text as Twilio's list has it; `created_at` is a whole second of Twilio's clock."""

    account_sid: str
    message_sid: str
    from_number: str = field(repr=False)
    to_number: str = field(repr=False)
    body: str = field(repr=False)
    segments: int
    created_at: datetime


def text_listed(text: ListedText, *, organization_id: UUID) -> TwilioMessageReceived:
    """Return the fact that its webhook would have been, as of when Twilio says that it came.

    Its form says by `DateCreated` that it was found in the list, where times are whole seconds
    and Twilio's own judgement of the words (`OptOutType`) is not told.
    """
    return TwilioMessageReceived(
        organization_id=organization_id,
        occurred_at=text.created_at,
        sequence=0,
        account_sid=text.account_sid,
        message_sid=text.message_sid,
        form={
            "MessageSid": text.message_sid,
            "AccountSid": text.account_sid,
            "From": text.from_number,
            "To": text.to_number,
            "Body": text.body,
            "NumSegments": str(text.segments),
            "DateCreated": text.created_at.isoformat(),
        },
    )


def named_message(query: str) -> UUID | None:
    """Return the message that a callback's address names."""
    try:
        return UUID(parse_qs(query).get("m", [""])[0])
    except ValueError:
        return None


class Circuit:
    """Says whether to try what failed a moment ago: not for a while, then one at a time."""

    def __init__(self, *, pause_seconds: float) -> None:
        self._pause_seconds = pause_seconds
        self._failed_at: float | None = None
        self._probing = False

    @property
    def closed(self) -> bool:
        """Whether all is well, as far as is known."""
        return self._failed_at is None

    def admits(self, *, at: float) -> bool:
        """Whether this one may try; of those after a failure only the first may, as a probe."""
        if self._failed_at is None:
            return True
        if self._probing or at < self._failed_at + self._pause_seconds:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Let everybody through again."""
        self._failed_at = None
        self._probing = False

    def failed(self, *, at: float) -> None:
        """Keep everybody away for a while."""
        self._failed_at = at
        self._probing = False
