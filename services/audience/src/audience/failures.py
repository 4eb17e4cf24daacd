"""What refusals of iMIS, and lists that are missing, mean to staff."""

from audience.domain.failures import NotHereYet, Unusable
from imis_client import BadRequest, CredentialsRejected, Forbidden, NotFound, TryAgain

FINAL = (NotFound, BadRequest, Forbidden, Unusable)
"""Asking again would be refused again, until staff mend something."""

NO_LOGIN = (
    "iMIS doesn't take the organisation's iMIS username and password: the password may have "
    "expired, or the account is locked. See to it in iMIS, then save both anew in the settings; "
    "what waits for it goes on by itself."
)
NO_UPLOAD = (
    "The uploaded list is not here, or not whole. Upload it anew and choose it in the campaign's "
    "audience."
)
NOT_NOW = "iMIS doesn't answer just now. Try again in a few minutes."
NOT_AT_ALL = "The audience could not be read, for a reason that the operator finds in the logs."


def sentence(error: Exception, iqa_path: str) -> str:
    """Say what went wrong and how to mend it."""
    match error:
        case NotHereYet():
            return NO_UPLOAD
        case Unusable():
            return error.sentence
        case NotFound():
            return str(error)
        case Forbidden():
            return (
                f"The organisation's iMIS account may not run {iqa_path}. Give it the right to "
                "the query and its folder in iMIS, or choose another query."
            )
        case BadRequest():
            said = f" It says: {error.detail.rstrip('.')}." if error.detail else ""
            return (
                f"iMIS refuses to run {iqa_path}.{said} Run it in iMIS, and give a value for "
                "each prompt that it asks for."
            )
        case CredentialsRejected():
            return NO_LOGIN
        case TryAgain():
            return NOT_NOW
        case _:
            return NOT_AT_ALL
