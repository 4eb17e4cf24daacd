"""Another organisation's things are not there: each route with an id, tried by a stranger.

The routes are those of the app itself, so a new one without an entry here fails the test.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.rig import AUDIENCE, CAMPAIGN, NUMBER, Rig
from tests.gateway.test_consent import a_review, opted_out
from tests.gateway.test_operations import GIVE_UP, doubt
from tests.gateway.test_run_dashboards import activity
from tests.gateway.test_runs import DEMO, projected, text_to

from contracts.ids import organization_id
from gateway.routes.app import make_api

OTHER = organization_id("OTHER")
OPERATORS_ONLY = {
    "PUT /v1/organizations/{cloud_id}",
    "POST /v1/operations/messages/{message_id}/resolution",
}
BODIES: dict[str, Any] = {
    "GET /v1/campaigns/{campaign_id}": None,
    "PATCH /v1/campaigns/{campaign_id}": {"name": "Taken over"},
    "DELETE /v1/campaigns/{campaign_id}": None,
    "POST /v1/campaigns/{campaign_id}/schedule": {},
    "POST /v1/campaigns/{campaign_id}/copy": None,
    "GET /v1/campaigns/{campaign_id}/history": None,
    "GET /v1/campaigns/{campaign_id}/occurrences": None,
    "POST /v1/campaigns/{campaign_id}/pause": {},
    "POST /v1/campaigns/{campaign_id}/resume": {},
    "POST /v1/campaigns/{campaign_id}/cancel": {},
    "POST /v1/campaigns/{campaign_id}/archive": None,
    "POST /v1/campaigns/{campaign_id}/restore": None,
    "POST /v1/campaigns/{campaign_id}/send-me-first": {"to": "+14155552671"},
    "POST /v1/campaigns/{campaign_id}/summary": None,
    "GET /v1/campaigns/{campaign_id}/summaries/{summary_id}": None,
    "GET /v1/campaigns/{campaign_id}/runs": None,
    "GET /v1/runs/{run_id}": None,
    "GET /v1/runs/{run_id}/dashboard": None,
    "GET /v1/runs/{run_id}/messages": None,
    "GET /v1/runs/{run_id}/messages.csv": None,
    "GET /v1/runs/{run_id}/activities": None,
    "POST /v1/runs/{run_id}/activities/retry": {},
    "POST /v1/runs/{run_id}/cancel": {},
    "GET /v1/runs/{run_id}/events": None,
    "POST /v1/runs/{run_id}/resend": None,
    "GET /v1/messages/{message_id}": None,
    "GET /v1/uploads/{upload_id}": None,
    "POST /v1/reviews/{review_id}": {"status": "dismissed"},
}


def routes_with_ids(rig: Rig) -> Iterator[str]:
    described = make_api(rig.gateway).openapi()
    for path, operations in described["paths"].items():
        if "{" in path:
            yield from (f"{method.upper()} {path}" for method in operations)


LISTINGS = (
    "/v1/campaigns",
    "/v1/dashboard",
    "/v1/organization",
    "/v1/settings",
    "/v1/usage",
    "/v1/usage.csv",
    "/v1/opt-outs",
    "/v1/opt-outs.csv",
    "/v1/reviews",
    "/v1/stop",
)


@dataclass(frozen=True)
class Things:
    """What DEMO has, by the names that paths have for their ids."""

    ids: dict[str, str]


@pytest.fixture
async def things(rig: Rig, staff: Client) -> Things:
    campaign = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    path = f"/v1/campaigns/{campaign['campaign_id']}"
    summary = (await staff.post(f"{path}/summary?wait_seconds=0")).json()
    scheduled = (await staff.post(f"{path}/schedule", {"at": "2026-03-05T00:00:00Z"})).json()
    run = projected(scheduled, state="completed", missed=1)
    rig.models.runs[DEMO, run.run_id] = run
    message = text_to(run, 1)
    rig.models.found[DEMO] = [message]
    rig.models.written[run.run_id] = [activity(1)]
    rig.models.to_read[DEMO] = [review := a_review()]
    uploaded = await staff.post(
        "/v1/uploads", body=b"ID,Phone\n1,2\n", headers={"content-type": "text/csv"}
    )
    return Things(
        {
            "campaign_id": campaign["campaign_id"],
            "summary_id": summary["summary_id"],
            "run_id": str(run.run_id),
            "message_id": str(message.message_id),
            "upload_id": uploaded.json()["upload_id"],
            "review_id": str(review.review_id),
            "cloud_id": "DEMO",
        }
    )


def address(route: str, ids: dict[str, str]) -> tuple[str, str]:
    method, path = route.split(" ")
    path = re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)
    return method, path + ("?wait_seconds=0" if path.endswith("/summary") else "")


async def test_every_route_with_an_id_is_tried(rig: Rig) -> None:
    assert set(routes_with_ids(rig)) == BODIES.keys() | OPERATORS_ONLY


@pytest.mark.parametrize("route", BODIES)
async def test_what_is_another_organisations_is_not_there(
    rig: Rig, staff: Client, stranger: Client, things: Things, route: str
) -> None:
    before = len(await rig.published())
    nowhere = {name: str(uuid4()) for name in things.ids}
    method, path = address(route, things.ids)
    theirs = await stranger.request(method, path, json=BODIES[route])
    missing = await stranger.request(*address(route, nowhere), json=BODIES[route])
    assert (theirs.status, theirs.body) == (404, missing.body)
    keyed = {"idempotency-key": "mine"}
    assert (await stranger.request(method, path, json=BODIES[route], headers=keyed)).status == 404
    assert len(await rig.published()) == before
    # The ids are good: their owner isn't told that there is no such thing.
    if not route.endswith("/events"):
        own = await staff.request(method, path, json=BODIES[route])
        assert own.status in {200, 201, 202, 204, 409, 503}, own.body


@pytest.mark.parametrize("route", sorted(OPERATORS_ONLY))
async def test_what_is_for_operators_tells_staff_nothing(
    rig: Rig, staff: Client, stranger: Client, things: Things, route: str
) -> None:
    rig.models.doubts = [doubt()]
    ids = things.ids | {"message_id": str(rig.models.doubts[0].message_id)}
    nowhere = {name: str(uuid4()) for name in ids}
    for client in (staff, stranger):
        theirs = await client.request(*address(route, ids), json=GIVE_UP)
        missing = await client.request(*address(route, nowhere), json=GIVE_UP)
        assert (theirs.status, theirs.body) == (403, missing.body)


async def test_an_organisation_in_a_body_or_a_query_is_never_trusted(
    rig: Rig, staff: Client, stranger: Client, things: Things
) -> None:
    named = CAMPAIGN | {"organization_id": str(DEMO)}
    assert (await stranger.post("/v1/campaigns", named)).status == 422
    rig.models.opted_out[DEMO] = [opted_out(from_number=NUMBER)]
    for listing in LISTINGS:
        own = await stranger.get(listing)
        asked = await stranger.get(f"{listing}?organization_id={DEMO}&organization=DEMO")
        assert (asked.status, asked.body) == (200, own.body)
    assert (await stranger.get("/v1/campaigns")).json()["items"] == []
    # A cursor is no key either: it names a place, and shows nothing of who is there.
    listed = await staff.post("/v1/campaigns", CAMPAIGN | {"audience": AUDIENCE})
    assert listed.status == 201
    page = (await staff.get("/v1/campaigns?limit=1")).json()
    stolen = await stranger.get(f"/v1/campaigns?cursor={page['next_cursor']}")
    assert stolen.json()["items"] == []


async def test_x11_another_organisations_upload_is_no_audience(
    staff: Client, stranger: Client, things: Things
) -> None:
    audience = {
        "upload_id": things.ids["upload_id"],
        "phone_column": "Phone",
        "id_column": "ID",
    }
    assert (await staff.post("/v1/campaigns", {"name": "A", "audience": audience})).status == 201
    got = await stranger.post("/v1/campaigns", {"name": "A", "audience": audience})
    assert (got.status, got.json()["errors"][0]["field"]) == (422, "audience.upload_id")


async def test_tm8_an_activity_of_another_organisation_is_not_tried_again(
    rig: Rig, staff: Client, stranger: Client, things: Things
) -> None:
    campaign = await stranger.post("/v1/campaigns", CAMPAIGN)
    path = f"/v1/campaigns/{campaign.json()['campaign_id']}/schedule"
    own = projected((await stranger.post(path, {})).json(), state="completed")
    rig.models.runs[OTHER, own.run_id] = own
    named = {"message_id": things.ids["message_id"]}
    got = await stranger.post(f"/v1/runs/{own.run_id}/activities/retry", named)
    assert got.status == 404


async def test_an_answer_kept_for_one_organisations_key_is_no_other_organisations(
    staff: Client, stranger: Client
) -> None:
    keyed = {"idempotency-key": "shared"}
    mine = await staff.post("/v1/campaigns", CAMPAIGN, headers=keyed)
    theirs = await stranger.post("/v1/campaigns", CAMPAIGN, headers=keyed)
    assert "idempotent-replayed" not in theirs.headers
    assert mine.json()["campaign_id"] != theirs.json()["campaign_id"]
