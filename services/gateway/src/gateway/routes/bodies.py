"""Bodies that are files: CSV, taken as they come and never held whole."""

from collections.abc import AsyncIterator
from email.message import Message
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.requests import ClientDisconnect

from gateway.domain.refusals import Refusal, WrongKind

LARGEST_FILE = 500_000_000
"""More than any setting allows; the handlers hold files to the setting."""
_KINDS = {"text/csv", "application/csv"}
TAKES_CSV: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {}, "example": "ID,Phone\n101,+14155552671\n"}},
    }
}


async def the_file(request: Request) -> AsyncIterator[bytes]:
    """Return the body of a request that says that it is CSV, in parts."""
    said = Message()
    said["content-type"] = request.headers.get("content-type", "")
    charset = (said.get_content_charset() or "utf-8").replace("_", "-")
    if said.get_content_type() not in _KINDS or charset not in {"utf-8", "utf8"}:
        raise WrongKind("Send the list as text/csv in UTF-8.")
    return _parts(request)


async def _parts(request: Request) -> AsyncIterator[bytes]:
    try:
        async for part in request.stream():
            yield part
    except ClientDisconnect as error:
        raise Refusal("The file ended early.") from error


File = Annotated[AsyncIterator[bytes], Depends(the_file)]
