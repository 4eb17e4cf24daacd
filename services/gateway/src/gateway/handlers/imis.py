"""What iMIS's errors mean to who asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.domain.refusals import ImisFailed, NotAllowed, NotSignedIn, NotThere
from gateway.handlers.sessions import IMIS_FORGOT
from imis_client import (
    BadRequest,
    CredentialsRejected,
    Forbidden,
    ImisError,
    NotFound,
    TryAgain,
)


@contextmanager
def as_refusals() -> Iterator[None]:
    """Turn what iMIS answered into what the caller may do next."""
    try:
        yield
    except CredentialsRejected as error:
        # The token was good when they signed in: iMIS has ended it, or forgot it.
        raise NotSignedIn(IMIS_FORGOT) from error
    except Forbidden as error:
        raise NotAllowed(str(error)) from error
    except (NotFound, BadRequest) as error:
        raise NotThere(str(error)) from error
    except TryAgain as error:
        raise ImisFailed(f"{error} Try again in a moment.", again=True) from error
    except ImisError as error:
        raise ImisFailed(str(error), again=False) from error
