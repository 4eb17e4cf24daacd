"""The communication log, which only EMS sites have: an entry, and whose record it is on."""

from typing import TYPE_CHECKING, Any

from simulators.imis import wire
from simulators.imis.request import Request

if TYPE_CHECKING:
    from simulators.imis.app import ImisSimulator

LOG, RECIPIENT = "/api/CommunicationLog", "/api/CommunicationLogRecipient"
ROUTES = (LOG, RECIPIENT)
_PAGE_CAP = 500
_TYPE = "Asi.Soa.Communications.DataContracts.{}Data, Asi.Contracts"


def handle(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    """Answer a request about entries or their recipients."""
    if site.settings.profile == "2017" or request.path not in ROUTES:
        return 404, wire.problem("No HTTP resource was found that matches the request.")
    match request.method:
        case "GET":
            return _list(site, request)
        case "POST":
            return _create(site, request)
        case _:
            return 405, wire.problem("The method is not allowed.")


def _create(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    posted = request.json()
    if not isinstance(posted, dict):
        return 400, wire.problem("The entity is not well formed.")
    if request.path == LOG:
        if not posted.get("Subject"):
            return 400, wire.problem("Subject is required.")
        number = site.ledger.communicate(
            {"subject": posted["Subject"], "html": posted.get("Html") or "", "user": request.user}
        )
        return 201, posted | {"CommunicationLogId": str(number)}
    if not site.members.know(str(posted.get("PartyId", ""))):
        return 400, wire.problem("The party does not exist.")
    log = str(posted.get("CommunicationLogId", ""))
    if not site.ledger.has_log(log):
        return 400, wire.problem("The communication does not exist.")
    number = site.ledger.communicate(
        {
            "communication": log,
            "party": posted["PartyId"],
            "address": posted.get("Address") or "",
            "message_type": posted.get("MessageType", 0),
        }
    )
    return 201, posted | {"CommunicationLogRecipientId": str(number)}


def _list(site: "ImisSimulator", request: Request) -> tuple[int, Any]:
    shown = [
        _shown(each)
        for each in site.ledger.communications
        if ("subject" in each) == (request.path == LOG)
    ]
    wanted = {name: value for name, value in request.query if name not in {"limit", "offset"}}
    found = [each for each in shown if all(each.get(n) == value for n, value in wanted.items())]
    offset = int(request.first("offset") or 0)
    limit = min(int(request.first("limit") or 100), _PAGE_CAP)
    page = found[offset : offset + limit]
    return 200, wire.page(page, offset=offset, limit=limit, total=len(found))


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    if "subject" in entry:
        return {
            "$type": _TYPE.format("CommunicationLog"),
            "CommunicationLogId": str(entry["id"]),
            "Subject": entry["subject"],
            "Html": entry["html"],
        }
    return {
        "$type": _TYPE.format("CommunicationLogRecipient"),
        "CommunicationLogRecipientId": str(entry["id"]),
        "CommunicationLogId": entry["communication"],
        "PartyId": entry["party"],
        "Address": entry["address"],
        "MessageType": entry["message_type"],
    }
