"""A mail as it leaves, and what may become of it."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
LONGEST_SUBJECT = 180


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    subtype: str
    """`csv` of text, `zip` of application."""
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail; its Message-ID derives from `mail_id`, however often it is sent."""

    mail_id: UUID
    to: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    date: datetime
    attachments: tuple[Attachment, ...] = ()
    follows: UUID | None = None
    """The mail that this one goes on from, so that both are shown together."""


class Verdict(StrEnum):
    """What the mail server said of one recipient."""

    TAKEN = "taken"
    REFUSED = "refused"
    """For good: asking again would not help."""
    LATER = "later"


def one_line(text: str) -> str:
    """Return a text fit for a header: no line ends, not over-long."""
    line = " ".join(_CONTROL.sub(" ", text).split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1] + "…"
