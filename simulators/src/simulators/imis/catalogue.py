"""The document tree of the demo site: folders, queries, and what each query returns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulators.imis.people import ALIASES, People, Row
from simulators.imis.settings import Profile
from simulators.imis.wire import contract, property_of

FOLDER = "$/Common/Queries/Text Manager"
MEMBERS = f"{FOLDER}/Members with mobile phones"
NOBODY = f"{FOLDER}/Nobody"
NO_ALIASES = f"{FOLDER}/Members without aliases"
NOT_FOR_REST = f"{FOLDER}/Not for REST"
BY_CITY = f"{FOLDER}/Members by city"
DRAFT = f"{FOLDER}/Draft of a query"
EMPTY_FOLDER = "$/Common/Queries/Empty folder"

_CITIES = ("Austin", "Boston", "Chicago")
_PROPERTIES = ("ID", "FullName", "FirstName", "MobilePhone", "JoinDate", "Balance")
_TYPES = ("String", "String", "String", "String", "DateTime", "String")


@dataclass(frozen=True, slots=True)
class Query:
    """One IQA. `fetch(start, stop)` gives its rows, given the value of its prompt, if any."""

    path: str
    aliases: tuple[str, ...]
    total: Callable[[str], int]
    fetch: Callable[[str, int, int], list[Row]]
    prompt: str = ""
    for_rest: bool = True
    published: bool = True
    has_aliases: bool = True
    description: str = ""
    properties: tuple[str, ...] = _PROPERTIES
    types: tuple[str, ...] = _TYPES

    def keys(self) -> tuple[str, ...]:
        """Give the names that its values go by in a row."""
        return self.aliases if self.has_aliases else self.properties[: len(self.aliases)]


@dataclass(slots=True)
class Catalogue:
    """Every folder and query of the site."""

    people: People
    queries: dict[str, Query] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for query in _queries(self.people):
            self.put(query)
        for path in (f"{EMPTY_FOLDER}/", "$/Common/Queries/Events/2024/"):
            self._put_folders(path)

    def put(self, query: Query) -> None:
        """Hold a query, in place of the one that was at its path."""
        self.queries[query.path] = query
        self._put_folders(query.path)

    def _put_folders(self, path: str) -> None:
        parts = path.split("/")
        self.folders.update("/".join(parts[:depth]) or "$" for depth in range(1, len(parts)))

    def document(self, path: str) -> dict[str, Any] | None:
        """Describe the folder or query at a path."""
        path = path.rstrip("/") or "$"
        if query := self.queries.get(path):
            status = "Published" if query.published else "Working"
            return _summary(path, "IQD", query.description, status)
        return _summary(path, "FOL", "", "Published") if path in self.folders else None

    def children(self, document_id: str, types: list[str]) -> list[dict[str, Any]]:
        """Describe what lies directly in a folder."""
        paths = [*self.folders, *self.queries]
        parent = next((p for p in self.folders if document_id_of(p) == document_id), None)
        inside = [p for p in sorted(paths) if p.rpartition("/")[0] == parent and p != parent]
        found = [document for p in inside if (document := self.document(p)) is not None]
        return [document for document in found if document["DocumentTypeId"] in types]


def document_id_of(path: str) -> str:
    """Give the document's id, the same for ever."""
    return str(uuid5(NAMESPACE_URL, path))


def definition_of(query: Query, profile: Profile) -> dict[str, Any]:
    """Show a query's definition: the 2017 one names properties only."""
    properties = []
    for order, alias in enumerate(query.aliases):
        shown: dict[str, Any] = {
            "$type": contract("IqaQueryPropertyData"),
            "Name": query.properties[order],
            "DataTypeName": query.types[order],
            "DisplayOrder": order,
        }
        if profile == "ems":
            shown |= {
                "PropertyName": query.properties[order],
                "Alias": alias if query.has_aliases else None,
                "Caption": alias,
            }
        properties.append(shown)
    return {
        "$type": contract("IqaQueryDefinitionData"),
        "QueryDefinitionId": document_id_of(query.path),
        "Path": query.path,
        "Name": query.path.rpartition("/")[2],
        "Properties": {"$type": contract("QueryPropertyDataCollection"), "$values": properties},
        "Parameters": {
            "$type": contract("QueryParameterDataCollection"),
            "$values": parameters_of(query),
        },
    }


def parameters_of(query: Query) -> list[dict[str, Any]]:
    """Show a query's prompts."""
    if not query.prompt:
        return []
    return [
        {
            "$type": contract("IqaQueryParameterData"),
            "PropertyName": query.prompt,
            "Prompt": f"{query.prompt}:",
            "Operation": "Equal",
            "AllowMultiple": False,
            "Values": None,
        }
    ]


def row_of(query: Query, row: Row, number: int, profile: Profile) -> dict[str, Any]:
    """Show a row: keyed by alias (EMS), or as a list of named properties (2017)."""
    keys = query.keys()
    if profile == "ems":
        return {
            "$type": "System.Dynamic.ExpandoObject, System.Core",
            "ResultRow": str(number),
            **dict(zip(keys, row, strict=True)),
        }
    properties = [property_of(key, value) for key, value in zip(keys, row, strict=True)]
    properties.append(property_of("ResultRow", str(number)))
    return {
        "$type": contract("GenericEntityData"),
        "EntityTypeName": "ResultRow",
        "Properties": {
            "$type": contract("GenericPropertyDataCollection"),
            "$values": properties,
        },
    }


def plain_row(query: Query, row: Row) -> dict[str, str]:
    """Give a row as alias → text, nulls empty: what a reader should make of it."""
    plain = {}
    for key, value in zip(query.keys(), row, strict=True):
        inner = value["$value"] if isinstance(value, Mapping) else value
        plain[key] = "" if inner is None else str(inner)
    return plain


def _queries(people: People) -> list[Query]:
    def whole(_prompt: str) -> int:
        return len(people)

    def everybody(_prompt: str, start: int, stop: int) -> list[Row]:
        return people.rows(start, stop)

    def few(_prompt: str) -> int:
        return min(len(people), 25)

    def city(prompt: str, start: int, stop: int) -> list[Row]:
        if prompt not in _CITIES:
            return []
        first = _CITIES.index(prompt)
        return people.rows(0, few(""))[first :: len(_CITIES)][start:stop]

    def in_city(prompt: str) -> int:
        return len(city(prompt, 0, len(people)))

    return [
        Query(MEMBERS, ALIASES, whole, everybody, description="Everybody with a mobile phone"),
        Query(NOBODY, ALIASES, lambda _: 0, lambda *_: [], description="Returns no row"),
        Query(NO_ALIASES, ALIASES, few, everybody_of(few, people), has_aliases=False),
        Query(NOT_FOR_REST, ALIASES, whole, everybody, for_rest=False),
        Query(BY_CITY, ALIASES, in_city, city, prompt="City"),
        Query(DRAFT, ALIASES, whole, everybody, for_rest=False, published=False),
    ]


def everybody_of(
    total: Callable[[str], int], people: People
) -> Callable[[str, int, int], list[Row]]:
    """Fetch from the first rows only."""
    return lambda prompt, start, stop: people.rows(start, min(stop, total(prompt)))


def _summary(path: str, type_id: str, description: str, status: str) -> dict[str, Any]:
    return {
        "$type": contract("DocumentSummaryData"),
        "DocumentId": document_id_of(path),
        "DocumentVersionId": document_id_of(f"{path}#1"),
        "DocumentTypeId": type_id,
        "Name": path.rpartition("/")[2],
        "AlternateName": None,
        "Description": description,
        "Path": path,
        "Status": status,
    }
