"""TM-12: campaigns are put away after a time that is a setting, and end when no time is left."""

from datetime import timedelta

from tests.gateway.client import Client
from tests.gateway.rig import Rig
from tests.gateway.test_campaigns import drafted
from tests.gateway.test_control import waiting
from tests.gateway.test_scheduling import DAILY, JOB

from contracts.events.audience import AudiencePreviewRequested
from gateway.handlers.housekeeping import KEPT_FOR, Housekeeping


async def status_of(staff: Client, path: str) -> str:
    return str((await staff.get(path)).json()["status"])


async def test_tm12_what_is_over_is_put_away_after_the_organisation_s_days(
    rig: Rig, staff: Client
) -> None:
    await rig.organization(archive_after_days=10)
    await rig.organization("OTHER", archive_after_days=3)
    theirs = await rig.staff("OTHER")
    over, other, running = await waiting(staff), await waiting(theirs), await waiting(staff)
    await staff.post(f"{over}/cancel")
    await theirs.post(f"{other}/cancel")
    keeping = Housekeeping(rig.desk, rig.clock)
    rig.clock.forward(days=5)
    assert not await keeping.archive()
    staff, theirs = await rig.staff(), await rig.staff("OTHER")
    assert await status_of(staff, over) == "cancelled"
    assert await status_of(theirs, other) == "archived"
    rig.clock.forward(days=5, seconds=1)
    await keeping.archive()
    staff = await rig.staff()
    assert await status_of(staff, over) == "archived"
    assert await status_of(staff, running) == "scheduled"
    history = (await staff.get(f"{over}/history")).json()["items"]
    assert (history[-1]["what"], history[-1]["by"]) == ("archived", "gateway")
    # Brought back, its days begin anew.
    assert (await staff.post(f"{over}/restore")).json()["status"] == "cancelled"
    await keeping.archive()
    assert await status_of(staff, over) == "cancelled"


async def test_a_job_whose_last_time_was_skipped_completes(rig: Rig, staff: Client) -> None:
    twice = DAILY | {"rule": "FREQ=DAILY;COUNT=2", "time_zone": "UTC"}
    ending = await waiting(staff, kind="recurring", recurrence=twice)
    endless = await waiting(staff, **JOB)
    keeping = Housekeeping(rig.desk, rig.clock)
    await keeping.end()
    assert await status_of(staff, ending) == "scheduled"
    rig.clock.forward(days=3)
    await keeping.end()
    staff = await rig.staff()
    assert await status_of(staff, ending) == "completed"
    assert await status_of(staff, endless) == "scheduled"


async def test_members_texts_are_kept_no_longer_than_a_day(rig: Rig, staff: Client) -> None:
    campaign = await drafted(staff)
    await staff.post(f"/v1/campaigns/{campaign['campaign_id']}/summary?wait_seconds=0")
    (request,) = [
        each.event
        for each in await rig.published()
        if isinstance(each.event, AudiencePreviewRequested)
    ]
    keeping = Housekeeping(rig.desk, rig.clock)
    for forward, kept in ((KEPT_FOR, True), (timedelta(seconds=1), False)):
        rig.clock.at += forward
        await keeping.forget()
        async with rig.desk.read() as reading:
            found = await reading.previews.get(request.organization_id, request.preview_id)
        assert (found is not None) is kept
