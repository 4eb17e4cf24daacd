"""An Idempotency-Key makes a repeat harmless."""

import asyncio

from tests.gateway.client import Client
from tests.gateway.rig import CAMPAIGN, Rig

from contracts.events.audience import AudiencePreviewRequested
from contracts.events.campaign import CampaignDrafted

KEY = {"idempotency-key": "k-1"}


async def test_a_repeat_gets_the_first_answer_and_does_nothing(rig: Rig, staff: Client) -> None:
    first = await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)
    events = len(await rig.published())
    again = await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)
    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await rig.published()) == events


async def test_a_repeat_is_answered_the_same_after_the_campaign_has_changed(staff: Client) -> None:
    made = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    path = f"/v1/campaigns/{made['campaign_id']}/schedule"
    first = await staff.post(path, {}, headers=KEY)
    again = await staff.post(path, {}, headers=KEY)
    assert (first.status, first.body) == (again.status, again.body) == (200, first.body)
    without = await staff.post(path, {})
    assert without.status == 409


async def test_another_request_under_the_same_key_is_refused(staff: Client) -> None:
    made = (await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)).json()
    other = await staff.post("/v1/campaigns", CAMPAIGN | {"name": "Other"}, headers=KEY)
    assert other.status == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    path = f"/v1/campaigns/{made['campaign_id']}/schedule"
    assert (await staff.post(path, CAMPAIGN, headers=KEY)).status == 422


async def test_keys_belong_to_an_organisation(staff: Client, stranger: Client) -> None:
    mine = await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)
    theirs = await stranger.post("/v1/campaigns", CAMPAIGN, headers=KEY)
    assert mine.status == theirs.status == 201
    assert mine.json()["campaign_id"] != theirs.json()["campaign_id"]


async def test_a_refused_request_leaves_its_key_free(staff: Client) -> None:
    assert (await staff.post("/v1/campaigns", {"name": ""}, headers=KEY)).status == 422
    assert (await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)).status == 201


async def test_of_two_at_once_one_is_told_to_wait(rig: Rig, staff: Client) -> None:
    gots = await asyncio.gather(
        *(staff.post("/v1/campaigns", CAMPAIGN, headers=KEY) for _ in range(5))
    )
    assert sorted({each.status for each in gots}) in ([201], [201, 409])
    assert len({each.body for each in gots if each.status == 201}) == 1
    drafts = [e for e in await rig.published() if isinstance(e.event, CampaignDrafted)]
    assert len(drafts) == 1
    assert rig.gateway.in_flight == set()


async def test_of_two_processes_at_once_one_is_told_to_repeat(rig: Rig, staff: Client) -> None:
    """The other process's key is seen in the transaction, as its request is not seen here."""
    wait = asyncio.Event()
    read = rig.imis.columns

    async def slowly(*args: object, **more: object) -> object:
        await wait.wait()
        return await read(*args, **more)  # type: ignore[arg-type]

    rig.imis.columns = slowly  # type: ignore[assignment, method-assign]
    first = asyncio.ensure_future(staff.post("/v1/campaigns", CAMPAIGN, headers=KEY))
    while not rig.gateway.in_flight:
        await asyncio.sleep(0)
    rig.gateway.in_flight.clear()
    second = asyncio.ensure_future(staff.post("/v1/campaigns", CAMPAIGN, headers=KEY))
    while not rig.gateway.in_flight:
        await asyncio.sleep(0)
    wait.set()
    statuses = {(await first).status, (await second).status}
    assert statuses == {201, 409}
    assert (await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)).status == 201


async def test_a_repeated_summary_waits_for_the_same_count(rig: Rig, staff: Client) -> None:
    made = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    path = f"/v1/campaigns/{made['campaign_id']}/summary?wait_seconds=0"
    first = await staff.post(path, headers=KEY)
    again = await staff.post(path, headers=KEY)
    assert first.json()["summary_id"] == again.json()["summary_id"]
    asked = [e for e in await rig.published() if isinstance(e.event, AudiencePreviewRequested)]
    assert len(asked) == 1


async def test_a_kept_answer_is_dropped_after_a_day(rig: Rig, staff: Client) -> None:
    first = await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)
    rig.clock.forward(hours=25)
    staff = await rig.staff()
    await staff.post("/v1/campaigns", CAMPAIGN, headers={"idempotency-key": "k-2"})
    again = await staff.post("/v1/campaigns", CAMPAIGN, headers=KEY)
    assert again.json()["campaign_id"] != first.json()["campaign_id"]


async def test_a_key_is_printable(staff: Client) -> None:
    for key in ("", "a b", "x" * 201, "é"):
        got = await staff.post("/v1/campaigns", CAMPAIGN, headers={"idempotency-key": key})
        assert got.status == 422
