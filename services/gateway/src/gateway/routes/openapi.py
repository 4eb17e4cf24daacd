"""The API's own description: every answer typed, every refusal a problem document."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.routes.problems import MEDIA_TYPE, Problem

TAGS = [
    {"name": "sessions", "description": "Sign in with an iMIS login and a Cloud ID."},
    {"name": "organisations", "description": "Who sends, from which numbers, within what limits."},
    {"name": "IQAs", "description": "The queries of iMIS that campaigns take their audience from."},
    {"name": "campaigns", "description": "Write, count, schedule."},
    {"name": "sending control", "description": "Pause, resume, cancel, stop."},
    {"name": "messages", "description": "One text at once, before any campaign's."},
    {"name": "runs", "description": "What was sent, and what became of it."},
    {"name": "opting out", "description": "Who may not be texted, and what a person has to read."},
    {"name": "audiences", "description": "Lists that are uploaded instead of read from iMIS."},
    {"name": "usage", "description": "What is charged, what is not, and what it costs."},
    {"name": "operations", "description": "For operators: what only a person can decide."},
    {"name": "dashboard", "description": "The organisation's figures."},
]
_REF = {"schema": {"$ref": "#/components/schemas/Problem"}}
_REFUSALS = {
    "400": "The request can't be read",
    "401": "Not signed in",
    "403": "Not allowed",
    "404": "Not there, or another organisation's",
    "409": "The present state doesn't allow it",
    "412": "Changed since it was read",
    "413": "Too large",
    "415": "Another kind of content than is taken here",
    "422": "Fields need mending; each is named",
    "429": "Too many attempts",
    "500": "Something went wrong here",
    "502": "iMIS answered what it should not",
    "503": "Not possible for the moment",
}
_BY_METHOD = {
    "get": ("400", "401", "403", "404", "409", "422", "500", "502", "503"),
    "put": ("400", "401", "403", "404", "412", "413", "422", "500", "503"),
    "post": tuple(_REFUSALS),
    "patch": tuple(_REFUSALS),
    "delete": ("401", "404", "409", "412", "422", "500", "503"),
}


def describe_itself(app: FastAPI) -> None:
    """Let the app's description say what its answers really are."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _with_problems(
                get_openapi(
                    title=app.title,
                    version=app.version,
                    description=app.description,
                    routes=app.routes,
                    tags=TAGS,
                )
            )
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    schemas = schema["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(shape.pop("$defs", {}))
    schemas["Problem"] = shape
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            for status in _BY_METHOD.get(method, ()):
                operation["responses"][status] = {
                    "description": _REFUSALS[status],
                    "content": {MEDIA_TYPE: _REF},
                }
    return schema
