"""Problem documents (RFC 9457): every answer that is no success."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from chassis.batches import is_outage
from contracts.events.message import Resolution
from gateway.domain.records import Answer
from gateway.domain.refusals import (
    Fault,
    ImisFailed,
    InConflict,
    NotAllowed,
    NotSignedIn,
    NotThere,
    Outdated,
    Refusal,
    TooLarge,
    TooManyAttempts,
    Unacceptable,
    WrongKind,
)

MEDIA_TYPE = "application/problem+json"
# Which of several shapes was sent is no part of a field's name.
_TAGS = frozenset(Resolution)
_LONGEST_DETAIL = 500
_RETRY_SECONDS = "5"


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(examples=["audience.phone_column"])
    detail: str = Field(examples=["The query has no column 'Mobile'. It has ID, Mobile Phone."])


class Problem(BaseModel):
    """Why a request was not carried out."""

    type: str = Field(examples=["urn:text-manager:problem:unacceptable"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The campaign can't be saved as it is."])
    errors: list[FieldProblem] = []


class Replay(Exception):
    """The request was answered before; this was the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("answered before")
        self.answer = answer


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document."""
    document = {
        "type": f"urn:text-manager:problem:{kind}",
        "title": _title(status),
        "status": status,
        "detail": _shown(detail),
        "errors": [{"field": _shown(each.field), "detail": _shown(each.detail)} for each in faults],
    }
    return Response(
        orjson.dumps(document), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def faults_of(errors: Iterable[Any], *, skip: int = 0) -> list[Fault]:
    """Name the fields that pydantic found wrong, without what was in them."""
    return [
        Fault(
            ".".join(str(part) for part in error["loc"][skip:] if part not in _TAGS) or "body",
            _told(error),
        )
        for error in errors
    ]


def _told(error: Any) -> str:
    """Say what is wrong with a field, in the words of who sends JSON."""
    context = error.get("ctx", {})
    match error["type"]:
        case "model_attributes_type" | "model_type":
            return "must be a JSON object"
        case "too_short" if context.get("field_type") == "Value":
            return "must not be blank"
        case "too_long" if context.get("field_type") == "Value":
            return f"must have at most {context['max_length']} characters"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")


def answer_problems(app: FastAPI) -> None:
    """Let the app answer everything that goes wrong with a problem document."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Replay, _replayed)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_request: Request, error: Exception) -> Response:
    match error:
        case NotSignedIn():
            headers = {"WWW-Authenticate": "Bearer"}
            return problem(401, "not-signed-in", error.detail, headers=headers)
        case NotAllowed():
            return problem(403, "not-allowed", error.detail)
        case NotThere():
            return problem(404, "not-found", error.detail)
        case InConflict():
            return problem(409, "conflict", error.detail)
        case Outdated():
            return problem(412, "outdated", error.detail)
        case Unacceptable():
            return problem(422, "unacceptable", error.detail, faults=error.faults)
        case TooLarge():
            return problem(413, "content-too-large", error.detail)
        case WrongKind():
            return problem(415, "unsupported-media-type", error.detail)
        case TooManyAttempts():
            seconds = str(max(1, ceil(error.retry_after.total_seconds())))
            headers = {"Retry-After": seconds}
            return problem(429, "too-many-attempts", error.detail, headers=headers)
        case ImisFailed() if error.again:
            headers = {"Retry-After": _RETRY_SECONDS}
            return problem(503, "imis-unavailable", error.detail, headers=headers)
        case ImisFailed():
            return problem(502, "imis-failed", error.detail)
        case _:
            return problem(400, "refused", "The request was refused.")


async def _invalid(_request: Request, error: Exception) -> Response:
    errors = error.errors() if isinstance(error, RequestValidationError) else []
    if any(each.get("type") == "json_invalid" for each in errors):
        return _not_json()
    detail = "Some of what was sent is missing or not of the right form."
    return problem(422, "invalid", detail, faults=faults_of(errors, skip=1))


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem(500, "unexpected", "Something went wrong here.")
    match status := error.status_code:
        case 400:
            # The framework's only one: the body is no UTF-8, or nested beyond measure.
            return _not_json()
        case 404:
            return problem(404, "not-found", "There is nothing at this address.")
        case 405:
            allowed = {"Allow": ", ".join(sorted(_methods_at(request)))}
            detail = "This can't be done here; Allow names what can."
            return problem(405, "method-not-allowed", detail, headers=allowed)
        case 413:
            return problem(413, "content-too-large", "The body is too large.")
        case _:
            kind = _title(status).lower().replace(" ", "-")
            return problem(status, kind, str(error.detail), headers=error.headers)


def _methods_at(request: Request) -> set[str]:
    """Return all that can be done at an address; the framework names one route's methods alone."""
    described = request.app.openapi()["paths"]
    return {
        method.upper()
        for path, operations in described.items()
        if compile_path(path)[0].match(request.scope["path"])
        for method in operations
    }


def _not_json() -> Response:
    return problem(400, "not-json", "The body is not valid JSON.")


async def _replayed(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Replay):
        return problem(500, "unexpected", "Something went wrong here.")
    return as_response(error.answer, {"Idempotent-Replayed": "true"})


async def _unexpected(_request: Request, error: Exception) -> Response:
    if is_outage(error):
        headers = {"Retry-After": _RETRY_SECONDS}
        return problem(503, "unavailable", "Not possible for the moment.", headers=headers)
    return problem(500, "unexpected", "Something went wrong here. It has been noted.")


def as_response(answer: Answer, more: Mapping[str, str] | None = None) -> Response:
    """Return a kept answer as it was given."""
    headers = {**answer.headers, **(more or {})}
    return Response(
        answer.body or None,
        status_code=answer.status,
        media_type="application/json" if answer.body else None,
        headers=headers,
    )


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Problem"


def _shown(text: str) -> str:
    """Return a text that every client can decode, not endless."""
    return text.encode("utf-8", "replace").decode()[:_LONGEST_DETAIL]
