"""X-7, TM-12: what runs tell changes their campaigns, once, whatever comes late or twice."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.client import Client
from tests.gateway.fakes import NOON
from tests.gateway.lives import RECURRING, drafted, sure
from tests.gateway.memory_desk import MemoryDesk
from tests.gateway.rig import Rig
from tests.gateway.test_control import DEMO, waiting

from contracts.envelope import seal
from contracts.events.campaign import CampaignPaused, CampaignStatus
from contracts.events.run import (
    HeldBy,
    RunAlarm,
    RunAlarmRaised,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunHeld,
    RunStarted,
)
from contracts.ids import run_id
from gateway.domain import campaign as aggregate
from gateway.handlers.following import follow_runs


class Teller:
    """Tells of one run of a campaign, numbered as its sources would."""

    def __init__(self, path: str, organization_id: UUID = DEMO, run: UUID | None = None) -> None:
        self.campaign_id = UUID(path.rpartition("/")[2])
        self._common: dict[str, Any] = {
            "organization_id": organization_id,
            "occurred_at": NOON,
            "run_id": run or run_id(self.campaign_id, "launch:1"),
            "campaign_id": self.campaign_id,
        }
        self._status = self._sender = 0

    def started(self) -> RunStarted:
        return RunStarted(**self._numbered())

    def completed(self) -> RunCompleted:
        return RunCompleted(rows=1, messages=1, rejected=0, excluded=0, **self._numbered())

    def failed(self) -> RunFailed:
        return RunFailed(reason="gone", **self._numbered())

    def alarmed(self, alarm: RunAlarm = RunAlarm.ERROR_SPIKE) -> RunAlarmRaised:
        return RunAlarmRaised(
            alarm=alarm,
            detail="20 of the last 100 texts: 30007, the carrier filtered them.",
            error_code=30007,
            advice="Change the text.",
            **self._numbered(),
        )

    def held(self, held_by: HeldBy = HeldBy.CONFIGURATION, code: int | None = 30032) -> RunHeld:
        self._sender += 1
        return RunHeld(
            held_by=held_by,
            messages=5,
            segments=5,
            error_code=code,
            sequence=self._sender,
            **self._common,
        )

    def _numbered(self) -> dict[str, Any]:
        self._status += 1
        return {"sequence": self._status, **self._common}


async def status_of(staff: Client, path: str) -> str:
    return str((await staff.get(path)).json()["status"])


async def test_tm12_a_run_s_start_and_end_are_followed_once(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    tell = Teller(path)
    started, completed = tell.started(), tell.completed()
    await rig.follow(started)
    assert await status_of(staff, path) == "sending"
    await rig.follow(started, completed)
    assert await status_of(staff, path) == "completed"
    before = len(await rig.published())
    await rig.follow(started, completed, completed)
    assert len(await rig.published()) == before


async def test_a_run_that_fails_at_once_completes_its_campaign(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    await rig.follow(Teller(path).failed())
    assert await status_of(staff, path) == "completed"


async def test_x7_a_spike_of_one_error_pauses_and_says_which_and_what_to_do(
    rig: Rig, staff: Client
) -> None:
    path = await waiting(staff)
    tell = Teller(path)
    alarm = [tell.started(), tell.alarmed()]
    await rig.follow(*alarm)
    shown = (await staff.get(path)).json()
    assert (shown["status"], shown["changed_by"]) == ("paused", "status")
    assert "30007" in shown["reason"]
    assert shown["reason"].endswith("Change the text.")
    assert (await staff.post(f"{path}/resume")).json()["status"] == "sending"
    # The same alarm once more must not undo the resume.
    await rig.follow(alarm[1])
    assert await status_of(staff, path) == "sending"
    await rig.follow(tell.alarmed())
    assert await status_of(staff, path) == "paused"


@pytest.mark.parametrize("alarm", sorted(set(RunAlarm) - {RunAlarm.ERROR_SPIKE}))
async def test_other_alarms_pause_nothing(rig: Rig, staff: Client, alarm: RunAlarm) -> None:
    path = await waiting(staff)
    tell = Teller(path)
    await rig.follow(tell.started(), tell.alarmed(alarm))
    assert await status_of(staff, path) == "sending"


@pytest.mark.parametrize(
    ("code", "said"), [(30032, "30032"), (12345, "12345"), (None, "every further one")]
)
async def test_x7_an_error_that_every_text_would_meet_pauses_at_once(
    rig: Rig, staff: Client, code: int | None, said: str
) -> None:
    path = await waiting(staff)
    tell = Teller(path)
    held = tell.held(code=code)
    await rig.follow(tell.started(), held)
    shown = (await staff.get(path)).json()
    assert (shown["status"], shown["changed_by"]) == ("paused", "sender")
    assert said in shown["reason"]
    event = (await rig.published())[-1].event
    assert isinstance(event, CampaignPaused)
    await staff.post(f"{path}/resume")
    await rig.follow(held)
    assert await status_of(staff, path) == "sending"


@pytest.mark.parametrize("held_by", sorted(set(HeldBy) - {HeldBy.CONFIGURATION}))
async def test_what_is_held_for_a_while_pauses_nothing(
    rig: Rig, staff: Client, held_by: HeldBy
) -> None:
    path = await waiting(staff)
    tell = Teller(path)
    await rig.follow(tell.started(), tell.held(held_by))
    assert await status_of(staff, path) == "sending"


async def test_what_another_organisation_s_run_tells_is_not_heeded(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    await rig.follow(Teller(path, uuid4()).started(), Teller(f"/{uuid4()}").started())
    assert await status_of(staff, path) == "scheduled"


async def test_what_is_sent_after_all_does_not_reopen_its_campaign(rig: Rig, staff: Client) -> None:
    path = await waiting(staff)
    tell, again = Teller(path), Teller(path, run=uuid4())
    await rig.follow(tell.started(), tell.completed(), again.started(), again.completed())
    assert await status_of(staff, path) == "completed"
    await rig.follow(again.held())
    assert await status_of(staff, path) == "paused"
    assert (await staff.post(f"{path}/resume")).json()["status"] == "completed"


ONE, TWO = uuid4(), uuid4()


@given(st.data())
async def test_whatever_is_repeated_the_campaign_is_the_same(data: st.DataObject) -> None:
    """A run's events come in their order; any of them may come again, later."""
    made = sure(aggregate.schedule(drafted(RECURRING, DEMO), None, at=NOON, by="staff"))
    path = f"/{made.campaign_id}"
    tellers = Teller(path, run=ONE), Teller(path, run=TWO)
    told: list[RunEvent] = []
    for tell in tellers:
        told += [tell.started(), tell.completed()]
    order = data.draw(st.permutations([0, 0, 1, 1]))
    seen = [0, 0]
    arrival: list[RunEvent] = []
    for which in order:
        arrival.append(told[2 * which + seen[which]])
        seen[which] += 1
        if data.draw(st.booleans()):
            arrival.append(data.draw(st.sampled_from(arrival)))
    desk = MemoryDesk()
    async with desk.work() as work:
        await work.campaigns.save([seal(made)])
    batches = data.draw(st.integers(1, len(arrival)))
    for start in range(0, len(arrival), batches):
        async with desk.work() as work:
            await follow_runs(
                [seal(each) for each in arrival[start : start + batches]],
                campaigns=work.campaigns,
                outbox=work.outbox,
                clock=lambda: NOON + timedelta(hours=1),
            )
    async with desk.read() as reading:
        known = await reading.campaigns.get(DEMO, made.campaign_id)
    assert known is not None
    assert (known.event.status, known.event.under_way) == (CampaignStatus.SCHEDULED, ())
