"""The shapes iMIS speaks: .NET type names, wrapped values, execute requests and their results."""

import json
from collections.abc import Sequence
from typing import Any

from imis_client.errors import BadRequest, NotFound, TryAgain

_DETAIL_LIMIT = 300


def contract(name: str) -> str:
    """Give the `$type` of one of iMIS's data contracts."""
    return f"Asi.Soa.Core.DataContracts.{name}, Asi.Contracts"


OBJECTS = "System.Collections.ObjectModel.Collection`1[[System.Object, mscorlib]], mscorlib"
STRINGS = "System.Collections.ObjectModel.Collection`1[[System.String, mscorlib]], mscorlib"


def execute_request(entity: str, operation: str, parameters: Sequence[object]) -> dict[str, Any]:
    """Build the body of `POST /api/{entity}/_execute`."""
    return {
        "$type": contract("GenericExecuteRequest"),
        "EntityTypeName": entity,
        "OperationName": operation,
        "Parameters": {"$type": OBJECTS, "$values": [_parameter(p) for p in parameters]},
    }


def _parameter(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"$type": "System.Boolean", "$value": value}
        case str():
            return {"$type": "System.String", "$value": value}
        case list():
            return {"$type": "System.String[]", "$values": value}
        case _:
            raise TypeError(f"no execute parameter: {type(value).__name__}")


class Figure(str):
    """A number, as the text that iMIS wrote, so that no cent is rounded."""

    __slots__ = ()


def loads(body: bytes, what: str) -> dict[str, Any]:
    """Parse an answer, every number as a `Figure`."""
    try:
        answer = json.loads(body, parse_float=Figure, parse_int=Figure)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise TryAgain(f"iMIS gave no data for {what}. Check the base URL if this lasts.")
    return answer


def result_of(answer: dict[str, Any], what: str) -> Any:
    """Give the `Result` of an execute answer, which can be null; a refusal is an error."""
    check_success(answer, what)
    return answer.get("Result")


def check_success(answer: dict[str, Any], what: str) -> None:
    """Raise what an `IsSuccessStatusCode` of false means, even under HTTP 200."""
    if answer.get("IsSuccessStatusCode") is not False:
        return
    status = str(answer.get("StatusCode") or "")
    message = f"iMIS answered {what} with an unsuccessful result."
    if status in {"404", "NotFound"}:
        raise NotFound(message, detail=detail_of(answer))
    raise BadRequest(message, detail=detail_of(answer))


def detail_of(answer: object) -> str:
    """Give what iMIS itself says of a refusal, shortened."""
    if not isinstance(answer, dict):
        return ""
    results = answer.get("ValidationResults")
    errors = values(results.get("Errors")) if isinstance(results, dict) else []
    said = [text_of(e.get("Message")) if isinstance(e, dict) else text_of(e) for e in errors]
    for key in ("error_description", "Message", "ExceptionMessage", "error"):
        if text := answer.get(key):
            said.append(str(text))
            break
    return "; ".join(filter(None, dict.fromkeys(said)))[:_DETAIL_LIMIT]


def values(collection: object) -> list[Any]:
    """Give the members of a collection, whether wrapped in `$values`, bare or absent."""
    if isinstance(collection, dict):
        collection = collection.get("$values")
    return collection if isinstance(collection, list) else []


def objects(collection: object) -> list[dict[str, Any]]:
    """Give those members of a collection that are objects."""
    return [member for member in values(collection) if isinstance(member, dict)]


def number_of(value: object, default: int) -> int:
    """Give a whole number, or the default where there is none."""
    text = text_of(value)
    return int(text) if text.isdecimal() else default


def text_of(value: object) -> str:
    """Give a value as text: null is empty, wrapped values are unwrapped, text stays as given."""
    match value:
        case Figure():
            return str(value)
        case str():
            return value
        case None:
            return ""
        case bool():
            return "True" if value else "False"
        case {"$value": wrapped}:
            return text_of(wrapped)
        case {"Amount": amount}:
            return text_of(amount)
        case {"$values": list(members)} | list(members):
            return ", ".join(filter(None, map(text_of, members)))
        case dict():
            return ""
        case _:
            return str(value)
