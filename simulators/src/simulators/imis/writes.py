"""What changes something: activities, and the communication log."""

from typing import TYPE_CHECKING, Any

import orjson

from simulators.imis import wire
from simulators.imis.ledger import RefusedError, fields_of, shown
from simulators.imis.request import Request

if TYPE_CHECKING:
    from simulators.imis.app import ImisSimulator

ROUTES = ("/api/Activity", "/api/CommunicationLog", "/api/CommunicationLogRecipient")
PREFIXES = ("/api/Activity", "/api/CommunicationLog")
_PAGE_CAP = 500
_CONTROLS = {"limit", "offset", "PartyId"}


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
        return _communicate(site, request)
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
    if not site.people.knows(fields["PartyId"]):
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


def _communicate(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    if site.settings.profile == "2017" or request.path not in ROUTES:
        return 404, wire.problem("No HTTP resource was found that matches the request.")
    if request.method != "POST":
        return 405, wire.problem("The method is not allowed.")
    posted = request.json()
    if not isinstance(posted, dict):
        return 400, wire.problem("The entity is not well formed.")
    if request.path == "/api/CommunicationLog":
        if not posted.get("Subject"):
            return 400, wire.problem("Subject is required.")
        number = site.ledger.communicate(
            {"subject": posted["Subject"], "html": posted.get("Html") or "", "user": request.user}
        )
        return 201, posted | {"CommunicationLogId": str(number)}
    if not site.people.knows(str(posted.get("PartyId", ""))):
        return 400, wire.problem("The party does not exist.")
    number = site.ledger.communicate(
        {
            "communication": str(posted.get("CommunicationLogId", "")),
            "party": posted["PartyId"],
            "address": posted.get("Address") or "",
            "message_type": posted.get("MessageType", 0),
        }
    )
    return 201, posted | {"CommunicationLogRecipientId": str(number)}
