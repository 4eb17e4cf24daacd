"""The judge's side of the simulator: what iMIS holds, and what it shall do wrong."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from simulators.imis.catalogue import plain_row
from simulators.imis.custom import change_queries
from simulators.shared import Receive, Scope, Send, answer_faults, answer_json, read_body

if TYPE_CHECKING:
    from simulators.imis.app import ImisSimulator


async def respond(site: "ImisSimulator", scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request below `/_sim/`."""
    body = await read_body(receive)
    query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
    await answer_json(send, *_answer(site, scope["method"], scope["path"], query, body))


def _answer(
    site: "ImisSimulator", method: str, path: str, query: dict[str, str], body: bytes
) -> tuple[int, Any]:
    match path:
        case "/_sim/health":
            return 200, {"status": "ok", "profile": site.settings.profile}
        case "/_sim/faults":
            return answer_faults(site.faults, method, body, query.get("name", ""))
        case "/_sim/settings":
            return _settings(site, body) if method == "POST" else (200, site.settings.as_json())
        case "/_sim/stats":
            return 200, _stats(site)
        case "/_sim/activities":
            return 200, _activities(site, query)
        case "/_sim/communications":
            return 200, {"communications": site.ledger.communications}
        case "/_sim/queries":
            return _queries(site, method, body)
        case "/_sim/audience":
            return _audience(site, query)
        case _:
            return 404, {"error": "no such part of the simulator"}


def _queries(site: "ImisSimulator", method: str, body: bytes) -> tuple[int, Any]:
    status, answered = change_queries(site.catalogue, method, body)
    if method == "PUT" and status == 200:  # noqa: PLR2004 - it was taken
        site.members.list_rows(orjson.loads(body)["rows"])
    return status, answered


def _settings(site: "ImisSimulator", body: bytes) -> tuple[int, Any]:
    try:
        wanted = orjson.loads(body)
        if wanted.pop("revoke_tokens", False):
            site.logins.revoke_all()
        if wanted.pop("unlock", False):
            site.logins.unlock()
        site.settings.change(wanted)
    except (AttributeError, ValueError) as error:
        return 400, {"error": str(error)}
    return 200, site.settings.as_json()


def _stats(site: "ImisSimulator") -> dict[str, Any]:
    return {
        "logins": site.logins.good,
        "failed_logins": site.logins.bad,
        "activities": len(site.ledger.activities),
        "activities_created": site.ledger.created,
        "activities_deleted": len(site.ledger.deleted),
        "communications": len(site.ledger.communications),
        "rows_served": site.counts["rows"],
        "requests": {name: n for name, n in site.counts.items() if name != "rows"},
        "in_flight": site.in_flight,
        "most_in_flight": site.most_in_flight,
    }


def _activities(site: "ImisSimulator", query: dict[str, str]) -> dict[str, Any]:
    wanted = {name: value for name, value in query.items() if name in {"party", "type"}}
    held = site.ledger.activities.values()
    found = [a for a in held if all(a[name] == value for name, value in wanted.items())]
    return {"activities": found, "deleted": site.ledger.deleted}


def _audience(site: "ImisSimulator", query: dict[str, str]) -> tuple[int, Any]:
    found = site.catalogue.queries.get(query.get("path", ""))
    if found is None:
        return 404, {"error": "no such query", "known": sorted(site.catalogue.queries)}
    prompt = query.get("prompt", "")
    rows = found.fetch(prompt, 0, found.total(prompt))
    return 200, {"rows": [plain_row(found, row) for row in rows]}
