"""Everything that can go wrong with iMIS, split by what the caller may do next.

    ImisError
    ├── TryAgain             nothing was done that a repeat would double: wait, then repeat
    ├── InDoubt              a write may have been done: look before you write again
    ├── CredentialsRejected  a person must correct the login; we stop trying, or iMIS locks it
    ├── Forbidden            the login is right but may not do this: a person gives it the right
    ├── NotFound             the thing isn't there, or not for REST; the text says how to mend it
    └── BadRequest           iMIS refused these very values: a repeat is refused as well

`str(error)` is safe to log: it never holds a secret, a query's values or what iMIS answered.
What iMIS said is in `detail`, which staff may see and which may name a person.
"""


class ImisError(Exception):
    """iMIS didn't do what was asked."""

    def __init__(self, message: str, *, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class TryAgain(ImisError):
    """A repeat is safe after a wait: `retry_after` seconds if iMIS named a wait."""

    def __init__(self, message: str, *, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class InDoubt(ImisError):
    """The write may or may not have been done; look before trying again."""


class CredentialsRejected(ImisError):
    """iMIS doesn't take this username and password, or this session, any more."""


class Forbidden(ImisError):
    """The account may not do this."""


class NotFound(ImisError):
    """There is no such thing, or it is not available for REST."""


class BadRequest(ImisError):
    """iMIS refused the values: an unknown type or party, a missing prompt."""
