"""What changes nothing: documents, definitions, queries, activity types, roles."""

from typing import TYPE_CHECKING, Any

from simulators.imis import wire
from simulators.imis.catalogue import Query, definition_of, parameters_of, row_of
from simulators.imis.faults import PAGE
from simulators.imis.request import Request

if TYPE_CHECKING:
    from simulators.imis.app import ImisSimulator

RUN_ROUTES = ("/api/query", "/api/iqa")
NO_SUCH_QUERY = wire.problem("The query was not found or is not available for REST.")
_NO_ROUTE = wire.problem("No HTTP resource was found that matches the request URI.")
_DEFAULT_LIMIT = 100
_CAP = 500


def handle(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    """Answer a request that reads."""
    ems = site.settings.profile == "ems"
    match request.method, request.path:
        case "GET", "/api/iqa":
            return _run(site, request)
        case "GET", "/api/query" if ems:
            return _run(site, request)
        case "GET", "/api/QueryParameterDefinition":
            query = site.catalogue.queries.get(request.first("QueryPath"))
            if query is None:
                return 404, NO_SUCH_QUERY
            listed = parameters_of(query)
            return 200, wire.page(listed, offset=0, limit=_CAP, total=len(listed))
        case "GET", path if path.startswith("/api/LegacyActivityType/"):
            if not site.settings.tells_activity_types:
                return 404, _NO_ROUTE
            return _activity_type(site, path.rpartition("/")[2])
        case "POST", "/api/DocumentSummary/_execute":
            return _documents(site, request)
        case "POST", "/api/QueryDefinition/_execute":
            return _definition(site, request)
        case "POST", "/api/UserSecurity/_execute" if ems:
            names = sorted(site.settings.roles)
            return 200, wire.executed({"$type": "System.String[], mscorlib", "$values": names})
        case _:
            return 404, _NO_ROUTE


def _activity_type(site: "ImisSimulator", code: str) -> tuple[int, Any]:
    if code not in site.settings.activity_types:
        return 404, wire.problem("The entity was not found.")
    return 200, wire.entity("LegacyActivityType", code, [wire.property_of("Code", code)])


def _parameters(request: Request) -> tuple[str, list[Any]]:
    """Give the operation and the parameters of an execute request."""
    posted = request.json()
    try:
        listed = posted["Parameters"]["$values"]
        values = [p["$values"] if "$values" in p else p["$value"] for p in listed]
        return str(posted["OperationName"]), values
    except (KeyError, TypeError):
        return "", []


def _documents(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    match _parameters(request):
        case "FindByPath", [str(path)]:
            return 200, wire.executed(site.catalogue.document(path))
        case "FindDocumentsInFolder", [str(folder), list(types), bool()]:
            found = site.catalogue.children(folder, types)
            return 200, wire.executed({"$values": found})
        case _:
            return 400, wire.problem("The operation is not supported.")


def _definition(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    match _parameters(request):
        case "FindByPath", [str(path)]:
            query = site.catalogue.queries.get(path)
            if query is None:
                return 200, wire.executed(None)
            definition = definition_of(query, site.settings.profile)
            if site.settings.profile == "2017":
                return 200, definition
            return 200, wire.executed(definition)
        case _:
            return 400, wire.problem("The operation is not supported.")


def _run(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    query = site.catalogue.queries.get(request.first("QueryName"))
    if query is None or not query.for_rest:
        return 404, NO_SUCH_QUERY
    prompt = _prompt(query, request)
    if query.prompt and not prompt:
        return 400, wire.problem(f"A value is required for the prompt {query.prompt}.")
    try:
        offset = max(0, int(request.first("offset") or 0))
        limit = min(max(1, int(request.first("limit") or _DEFAULT_LIMIT)), _CAP)
    except ValueError:
        return 400, wire.problem("limit and offset must be numbers.")
    total = query.total(prompt)
    start, drift = _disturbed(site, request, offset)
    rows = query.fetch(prompt, start, min(start + limit, total))
    # The one shape that answers /api/iqa is the 2017 one, on EMS too.
    shape = "2017" if request.path == "/api/iqa" else site.settings.profile
    items = [row_of(query, row, offset + n + 1, shape) for n, row in enumerate(rows)]
    site.counts["rows"] += len(items)
    return 200, wire.page(items, offset=offset, limit=limit, total=max(0, total + drift))


def _disturbed(site: "ImisSimulator", request: Request, offset: int) -> tuple[int, int]:
    """Give where the page really starts and how far its total is off."""
    if not site.faults.rules:
        return offset, 0
    facts = {"path": request.path, "user": request.user, "query": request.first("QueryName")}
    # Before the first page there are no rows that could come or go.
    among = PAGE if offset else {"total_drift"}
    rule = site.faults.pick(facts | {"offset": str(offset)}, among)
    if rule is None:
        return offset, 0
    by = int(rule.params.get("by", 3))
    if rule.name == "total_drift":
        return offset, by
    # Rows before this page went (by > 0: some are missed) or came (by < 0: some repeat); whether
    # the total tells it is the difference between the two faults.
    return max(0, offset + by), -by if rule.name == "rows_change" else 0


def _prompt(query: Query, request: Request) -> str:
    names = {query.prompt, f"{query.prompt}:"}
    if request.path == "/api/iqa":
        names = {"parameter"}
    return next((value for name, value in request.query if name in names), "")
