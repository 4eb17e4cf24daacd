"""Queries of a test's or a demonstration's own: their rows are told to the simulator."""

from typing import Any

import orjson

from simulators.imis.catalogue import Catalogue, Query
from simulators.imis.people import Row


def change_queries(catalogue: Catalogue, method: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """Put a query in its place, or take one away; answers with the paths of all.

    PUT `{"path", "columns": [alias], "rows": [[value]], "prompt"?, "types"?, "published"?,
    "aliases"?: bool}`; a value is what iMIS would answer, wrapped or plain. DELETE `{"path"}`.
    """
    try:
        wanted: Any = orjson.loads(body or b"null")
        match method:
            case "PUT":
                catalogue.put(_query(wanted))
            case "DELETE":
                catalogue.queries.pop(wanted["path"], None)
    except (KeyError, TypeError, ValueError) as error:
        return 400, {"error": f"that is no query: {error!r}"}
    return 200, {"queries": sorted(catalogue.queries)}


def _query(wanted: Any) -> Query:
    columns = tuple(map(str, wanted["columns"]))
    rows: list[Row] = [tuple(row) for row in wanted["rows"]]
    if any(len(row) != len(columns) for row in rows):
        raise ValueError("each row needs a value for each column")
    return Query(
        path=str(wanted["path"]),
        aliases=columns,
        total=lambda _prompt: len(rows),
        fetch=lambda _prompt, start, stop: rows[start:stop],
        prompt=str(wanted.get("prompt", "")),
        published=bool(wanted.get("published", True)),
        has_aliases=bool(wanted.get("aliases", True)),
        properties=tuple(column.replace(" ", "") for column in columns),
        types=tuple(wanted.get("types") or ("String",) * len(columns)),
    )
