"""The shapes iMIS answers with."""

from collections.abc import Iterable, Mapping
from typing import Any

PAGED = "Asi.Soa.Core.DataContracts.PagedResult`1[[System.Object, mscorlib]], Asi.Contracts"
STRINGS = "System.Collections.ObjectModel.Collection`1[[System.String, mscorlib]], mscorlib"
UNAUTHORIZED = {
    "$type": "System.Web.Http.HttpError, System.Web.Http",
    "Message": "Authorization has been denied for this request.",
}
HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>Runtime Error</title></head>"
    b"<body><h1>Server Error in '/' Application.</h1></body></html>"
)


def contract(name: str) -> str:
    """Give the .NET type name of a data contract."""
    return f"Asi.Soa.Core.DataContracts.{name}, Asi.Contracts"


def problem(message: str) -> dict[str, str]:
    """Answer for a refused request."""
    return {"$type": "System.Web.Http.HttpError, System.Web.Http", "Message": message}


def executed(result: object) -> dict[str, Any]:
    """Answer of a successful operation; the result can be None."""
    return {
        "$type": contract("GenericExecuteResult"),
        "Result": result,
        "IsSuccessStatusCode": True,
        "StatusCode": 200,
        "Message": None,
        "ValidationResults": {"Errors": {"$values": []}, "Warnings": {"$values": []}},
    }


def unsuccessful(message: str) -> dict[str, Any]:
    """Answer of an operation that failed under HTTP 200."""
    return {
        "$type": contract("GenericExecuteResult"),
        "Result": None,
        "IsSuccessStatusCode": False,
        "StatusCode": 400,
        "Message": message,
        "ValidationResults": {
            "Errors": {"$values": [{"Message": message}]},
            "Warnings": {"$values": []},
        },
    }


def page(items: list[Any], *, offset: int, limit: int, total: int) -> dict[str, Any]:
    """Answer with one page."""
    end = offset + len(items)
    return {
        "$type": PAGED,
        "Items": {"$type": "System.Object[], mscorlib", "$values": items},
        "Offset": offset,
        "Limit": limit,
        "Count": len(items),
        "TotalCount": total,
        "NextPageLink": None,
        "HasNext": end < total,
        "NextOffset": end if end < total else 0,
    }


def entity(name: str, identity: str, properties: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Show a generic entity."""
    return {
        "$type": contract("GenericEntityData"),
        "EntityTypeName": name,
        "Identity": {
            "$type": contract("IdentityData"),
            "EntityTypeName": name,
            "IdentityElements": {"$type": STRINGS, "$values": [identity]},
        },
        "Properties": {
            "$type": contract("GenericPropertyDataCollection"),
            "$values": list(properties),
        },
    }


def property_of(name: str, value: object) -> dict[str, Any]:
    """Show one property; one that is null has no Value at all."""
    shown: dict[str, Any] = {"$type": contract("GenericPropertyData"), "Name": name}
    if value is not None:
        shown["Value"] = value
    return shown
