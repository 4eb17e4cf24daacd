"""What staff are told when iMIS refuses something, and how they mend it."""

from imis_client import Forbidden, ImisError, NotFound
from imis_writer.domain.effects import Kind

NO_LOG = (
    "iMIS 2017 has no Communication Log that can be written to. Choose to write an activity in "
    "the campaign instead."
)
CANT_LOOK = (
    "The connection to iMIS broke while this was written, and iMIS doesn't let our account look "
    "whether it was. Look at the member's record; it is not written again by itself."
)
_NO_TYPE = (
    "iMIS has no activity type {kind}. Create it in iMIS (Settings > Contacts > Activity types, on "
    "older sites Customers > Set up tables > Activities) with the code {kind}, then try again."
)
_NO_RIGHT = "The iMIS account that runs use may not {verb} {things}. Give it that right in iMIS."
_NO_ROUTE = "iMIS has no {things} at its REST address. Check the iMIS URL in the settings."
_BAD_VALUES = (
    "iMIS does not take it. Check that the member still exists, and that the column for the CEU "
    "type in the settings is a column of activities."
)


def no_type(kind: Kind) -> str:
    """Say how to create an activity type."""
    return _NO_TYPE.format(kind=kind.value)


def refused(error: ImisError, *, of_log: bool, deletes: bool) -> str:
    """Say why iMIS refused a request: in its own words, and what they may mean."""
    things = "entries of the Communication Log" if of_log else "activities"
    match error:
        case Forbidden():
            reason = _NO_RIGHT.format(verb="delete" if deletes else "create", things=things)
        case NotFound():
            reason = _NO_ROUTE.format(things=things)
        case _:
            reason = _BAD_VALUES
    return f"{reason} iMIS says: {error.detail}" if error.detail else reason


def login_refused(error: ImisError) -> str:
    """Say that iMIS doesn't take the stored account, and what lets it go on."""
    said = f" (iMIS says: {error.detail})" if error.detail else ""
    return (
        f"iMIS refused the user name and password that runs use{said}. Save them anew in the "
        "settings; no log-in is tried until then, so that iMIS doesn't lock the account."
    )
