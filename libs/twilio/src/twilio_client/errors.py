"""What can go wrong with Twilio, split by what the caller may do next.

    TwilioError
    ├── NotSent      certainly not accepted: send again, after a while
    ├── InDoubt      perhaps accepted: never send again before it is reconciled
    ├── Refused      certainly not accepted, nor would it be next time
    └── Unanswered   a question (list, fetch) was not answered: ask again

No text of an error holds a phone number, a body or a credential: Twilio's own message quotes
numbers, so it stands in `Refused.message` alone and in no `str()`.
"""

from twilio_client.codes import Kind


class TwilioError(Exception):
    """Any failure of a request to Twilio."""


class NotSent(TwilioError):
    """Certainly not accepted: no connection was made, or Twilio said that it is too busy.

    `code` is Twilio's (20429, 21611) or None when Twilio was not reached.
    """

    def __init__(
        self, reason: str, *, code: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class InDoubt(TwilioError):
    """Nobody knows whether it was accepted; `status` is the HTTP status if one came."""

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Refused(TwilioError):
    """Certainly not accepted, and the same request would be refused again.

    `message` is Twilio's and may quote a phone number: keep it out of logs.
    """

    def __init__(self, *, code: int | None, message: str, kind: Kind, status: int) -> None:
        super().__init__(f"refused: {kind}, code {code}, HTTP {status}")
        self.code = code
        self.message = message
        self.kind = kind
        self.status = status


class Unanswered(TwilioError):
    """A list or a message was asked for in vain; nothing may be concluded from it."""

    def __init__(self, reason: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
