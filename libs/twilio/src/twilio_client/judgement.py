"""Says what an answer, or the lack of one, means for a text that was posted."""

from collections.abc import Callable
from http import HTTPStatus

from pydantic import ValidationError
from pyreqwest.exceptions import DetailedPyreqwestError, PyreqwestError

from twilio_client.codes import Advice, Kind, look_up
from twilio_client.errors import InDoubt, NotSent, Refused, TwilioError
from twilio_client.messages import Problem, Sent

# hyper's words for a failure before the first byte of the request: refused, no such host,
# connect timeout, TLS. The classes of pyreqwest don't tell: a read timeout raises its
# ConnectTimeoutError, a connection closed under the request its ConnectError.
_BEFORE_ANYTHING_WAS_SENT = "client error (Connect)"


def never_connected(error: PyreqwestError) -> bool:
    """Say whether the error proves that nothing was sent."""
    causes = error.details.get("causes") if isinstance(error, DetailedPyreqwestError) else None
    return any(_BEFORE_ANYTHING_WAS_SENT in cause["message"] for cause in causes or ())


def judge_failure(error: PyreqwestError) -> NotSent | InDoubt:
    """Judge a request that got no whole answer."""
    if never_connected(error):
        return NotSent("no connection to Twilio")
    return InDoubt(f"no whole answer ({type(error).__name__})")


def judge_answer(status: int, body: bytes, header: Callable[[str], str | None]) -> Sent:
    """Judge the answer to a posted text; gives Sent, or raises what it means instead."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        try:
            return Sent.model_validate_json(body)
        except ValidationError:
            # Its text is useless to the caller and its input is personal: leave both behind.
            raise InDoubt("accepted, but the answer makes no sense", status=status) from None
    raise judge_error(status, body, header)


def judge_error(status: int, body: bytes, header: Callable[[str], str | None]) -> TwilioError:
    """Judge an answer that is no success: Twilio's code counts before the HTTP status."""
    problem = _problem(body)
    advice = look_up(problem.code).advice if problem is not None else None
    code = problem.code if problem is not None else None
    if status == HTTPStatus.TOO_MANY_REQUESTS or advice is Advice.BACK_OFF:
        return NotSent("Twilio is too busy", code=code, retry_after_seconds=retry_after(header))
    certain = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    # A request timeout comes from something in between, which can't know what Twilio did.
    if not certain or status == HTTPStatus.REQUEST_TIMEOUT or advice is Advice.RECONCILE:
        return InDoubt(f"HTTP {status}", status=status)
    message = problem.message if problem is not None else ""
    return Refused(code=code, message=message, kind=_kind(code, status), status=status)


def retry_after(header: Callable[[str], str | None]) -> float | None:
    """Give Retry-After in seconds, if it says so."""
    value = header("retry-after")
    return float(value) if value is not None and value.isdecimal() else None


def _kind(code: int | None, status: int) -> Kind:
    kind = look_up(code).kind if code is not None else Kind.OTHER
    denied = status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return Kind.ACCOUNT if denied and kind is Kind.OTHER else kind


def _problem(body: bytes) -> Problem | None:
    try:
        return Problem.model_validate_json(body)
    except ValidationError:
        return None
