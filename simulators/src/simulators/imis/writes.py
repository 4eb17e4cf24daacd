"""What changes something: activities; the communication log has a module of its own."""

from typing import TYPE_CHECKING, Any

import orjson

from simulators.imis import communications, wire
from simulators.imis.ledger import RefusedError, fields_of, shown
from simulators.imis.request import Request

if TYPE_CHECKING:
    from simulators.imis.app import ImisSimulator

PREFIXES = ("/api/Activity", "/api/CommunicationLog")
_PAGE_CAP = 500
_CONTROLS = {"limit", "offset", "PartyId"}


def changes_something(request: Request) -> bool:
    """Say whether a request would leave something in iMIS, or take it away."""
    if request.method == "DELETE":
        return request.path.startswith("/api/Activity/")
    return request.method == "POST" and request.path in {"/api/Activity", *communications.ROUTES}


def facts_of(request: Request) -> dict[str, str]:
    """Give what a fault can be meant for."""
    try:
        fields = fields_of(request.json())
    except (orjson.JSONDecodeError, RefusedError):
        return {}
    return {"party": fields["PartyId"], "type": fields.get("ACTIVITY_TYPE", "")}


def handle(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    """Answer a request about activities or communications."""
    if request.path.startswith("/api/CommunicationLog"):
        return communications.handle(site, request)
    if request.path == "/api/Activity":
        return _create(site, request) if request.method == "POST" else _find(site, request)
    seqn = request.path.rpartition("/")[2]
    number = int(seqn) if seqn.isdecimal() else 0
    match request.method:
        case "DELETE" if site.ledger.delete(number):
            return 200, None
        case "GET" if number in site.ledger.activities:
            return 200, shown(site.ledger.activities[number])
        case "GET" | "DELETE":
            return 404, wire.problem("The activity was not found.")
        case _:
            return 405, wire.problem("The method is not allowed.")


def _create(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    posted = request.json()
    try:
        fields = fields_of(posted)
    except RefusedError as error:
        return 400, wire.problem(str(error))
    type_code = fields.get("ACTIVITY_TYPE", "")
    if type_code not in site.settings.activity_types:
        return 400, wire.problem(f"The activity type {type_code!r} does not exist.")
    if not site.members.know(fields["PartyId"]):
        return 400, wire.problem("The party does not exist.")
    seqn = site.ledger.create(fields, request.user)
    posted["Identity"] = {
        "$type": wire.contract("IdentityData"),
        "EntityTypeName": "Activity",
        "IdentityElements": {"$type": wire.STRINGS, "$values": [str(seqn)]},
    }
    return 201, posted


def _find(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    filters = {name: value for name, value in request.query if name not in _CONTROLS}
    found = site.ledger.find(request.first("PartyId") or None, filters)
    offset = int(request.first("offset") or 0)
    limit = min(int(request.first("limit") or 100), _PAGE_CAP)
    items = [shown(activity) for activity in found[offset : offset + limit]]
    return 200, wire.page(items, offset=offset, limit=limit, total=len(found))
