"""Why a request is not carried out, split by what the caller may do next.

Refusal
├── NotSignedIn        sign in (again)
├── NotAllowed         ask somebody who may
├── NotThere           look elsewhere: there is no such thing, or it is another organisation's
├── InConflict         look at how things are now, then decide again
├── Outdated           read the newest version, then repeat the edit
├── Unacceptable       mend the named fields
├── TooLarge           send less at once
├── WrongKind          send what the address takes
├── TooManyAttempts    wait `retry_after`
└── ImisFailed         iMIS is at fault: wait, or let an operator mend its settings
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a request."""

    field: str
    detail: str


class Refusal(Exception):
    """A request is not carried out; the text is for the caller to read."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotSignedIn(Refusal):
    """Nobody is signed in, or iMIS doesn't know them any more."""


class NotAllowed(Refusal):
    """Who asks may not do this."""


class NotThere(Refusal):
    """There is no such thing in the caller's organisation."""


class InConflict(Refusal):
    """The thing's state doesn't allow it."""


class Outdated(Refusal):
    """The caller edits a version that is not the newest."""


class Unacceptable(Refusal):
    """Fields are missing or wrong; each is named."""

    def __init__(self, faults: Sequence[Fault], detail: str = "Some fields need mending.") -> None:
        super().__init__(detail)
        self.faults = tuple(faults)


class TooLarge(Refusal):
    """More was sent than is taken at once."""


class WrongKind(Refusal):
    """What was sent is of another kind than what is taken here."""


class TooManyAttempts(Refusal):
    """The login failed too often of late."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("This login failed too often. Wait, then try again.")
        self.retry_after = retry_after


class ImisFailed(Refusal):
    """iMIS didn't do its part; `again` says whether waiting can help."""

    def __init__(self, detail: str, *, again: bool) -> None:
        super().__init__(detail)
        self.again = again
