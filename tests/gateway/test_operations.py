"""X-10: operators see what nobody knows, and decide each doubt once."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.rig import Rig
from tests.gateway.test_runs import DEMO, projected, text_to

from contracts.events.message import MessageResolutionDecided, Resolution
from contracts.ids import organization_id
from gateway.domain.views import Message, Unknown

SID = "SM" + "0a" * 16
GIVE_UP = {"resolution": "given_up", "by": "Ann", "reason": "It was a year ago."}
AGAIN = GIVE_UP | {"resolution": "send_again"}
SENT = GIVE_UP | {"resolution": "sent", "sid": SID}


def doubt(organization: UUID = DEMO, **changes: Any) -> Unknown:
    whole: dict[str, Any] = {
        "message_id": uuid4(),
        "organization_id": organization,
        "run_id": uuid4(),
        "campaign_id": uuid4(),
        "row": 1,
        "imis_id": "101",
        "to": "+12025550143",
        "number": 2,
        "reason": "the list can't tell",
        "attempted_at": NOON,
        "since": NOON,
    }
    return Unknown(**whole | changes)


def path_of(unknown: Unknown | Message) -> str:
    return f"/v1/operations/messages/{unknown.message_id}/resolution"


async def decisions(rig: Rig) -> list[MessageResolutionDecided]:
    events = [each.event for each in await rig.published()]
    return [each for each in events if isinstance(each, MessageResolutionDecided)]


async def test_unknown_messages_are_listed_of_one_organisation_or_of_all(rig: Rig) -> None:
    mine, theirs = doubt(), doubt(organization_id("OTHER"))
    rig.models.doubts = [mine, theirs]
    one = (await rig.operator.get("/v1/operations/unknown?organization=demo")).json()
    assert one == {
        "items": [
            {
                "message_id": str(mine.message_id),
                "organization_id": str(DEMO),
                "run_id": str(mine.run_id),
                "campaign_id": str(mine.campaign_id),
                "row": 1,
                "imis_id": "101",
                "to": "+12025550143",
                "reason": "the list can't tell",
                "attempted_at": "2026-03-02T12:00:00Z",
                "since": "2026-03-02T12:00:00Z",
            }
        ],
        "more": False,
    }
    every = (await rig.operator.get("/v1/operations/unknown")).json()["items"]
    assert {each["message_id"] for each in every} == {str(mine.message_id), str(theirs.message_id)}
    first = (await rig.operator.get("/v1/operations/unknown?limit=1")).json()
    assert (len(first["items"]), first["more"]) == (1, True)


@pytest.mark.parametrize("decision", [SENT, AGAIN, GIVE_UP], ids=lambda each: each["resolution"])
async def test_a_decision_is_told_with_who_and_why(rig: Rig, decision: dict[str, str]) -> None:
    unknown = doubt()
    rig.models.doubts = [unknown]
    got = await rig.operator.post(path_of(unknown), decision)
    assert got.status == 202
    assert got.json() == {
        "message_id": str(unknown.message_id),
        "run_id": str(unknown.run_id),
        "resolution": decision["resolution"],
    }
    [said] = await decisions(rig)
    assert (said.message_id, said.run_id, said.campaign_id) == (
        unknown.message_id,
        unknown.run_id,
        unknown.campaign_id,
    )
    assert (said.organization_id, said.sequence, said.sid) == (DEMO, 1, decision.get("sid"))
    assert (said.resolution, said.by, said.reason) == (
        decision["resolution"],
        "Ann",
        "It was a year ago.",
    )


async def test_each_doubt_is_decided_once_however_often_the_decision_comes(rig: Rig) -> None:
    unknown = doubt()
    rig.models.doubts = [unknown]
    for _ in range(2):
        assert (await rig.operator.post(path_of(unknown), AGAIN)).status == 202
    other = await rig.operator.post(path_of(unknown), SENT)
    assert (other.status, "decided already: send_again" in other.json()["detail"]) == (409, True)
    assert len(await decisions(rig)) == 1
    # It was sent again, and again nobody knows: that is another doubt.
    rig.models.doubts = [replace(unknown, number=4)]
    assert (await rig.operator.post(path_of(unknown), SENT)).status == 202
    told = [(each.sequence, each.resolution) for each in await decisions(rig)]
    assert told == [(1, Resolution.SEND_AGAIN), (2, Resolution.SENT)]


async def test_what_is_known_is_not_decided_and_what_is_not_there_is_not_found(rig: Rig) -> None:
    run = projected({"run_id": str(uuid4()), "campaign_id": str(uuid4())})
    known = text_to(run, 1)
    rig.models.found[DEMO] = [known]
    assert (await rig.operator.post(path_of(known), GIVE_UP)).status == 409
    assert (await rig.operator.post(path_of(doubt()), GIVE_UP)).status == 404
    assert await decisions(rig) == []


@pytest.mark.parametrize(
    "wrong",
    [
        GIVE_UP | {"resolution": "sent"},
        SENT | {"sid": "SM1"},
        SENT | {"sid": "MG" + "0a" * 16},
        SENT | {"sid": SID + "\n"},
        AGAIN | {"sid": SID},
        GIVE_UP | {"by": " "},
        GIVE_UP | {"reason": ""},
        GIVE_UP | {"reason": "\x00"},
        GIVE_UP | {"resolution": "forgotten"},
        {"resolution": "given_up"},
        [],
    ],
)
async def test_a_decision_must_be_whole(rig: Rig, wrong: Any) -> None:
    unknown = doubt()
    rig.models.doubts = [unknown]
    assert (await rig.operator.post(path_of(unknown), wrong)).status == 422
    assert await decisions(rig) == []


async def test_only_operators_look_and_decide(rig: Rig, staff: Client) -> None:
    unknown = doubt()
    rig.models.doubts = [unknown]
    for client, status in ((rig.anybody, 401), (staff, 403), (rig.operator.signed_in("x"), 403)):
        assert (await client.get("/v1/operations/unknown")).status == status
        assert (await client.post(path_of(unknown), GIVE_UP)).status == status
    assert await decisions(rig) == []
