"""TM-14: the status service on the real log, from a page of recipients to the end of the run."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.harness import Log, eventually, running
from tests.status import facts
from tests.status.facts import lifecycle

from chassis.instants import now
from chassis.secrets import SecretBox
from chassis.settings import ServiceSettings
from contracts import ids
from contracts.events.base import Event
from contracts.events.campaign import CampaignPaused, CampaignResumed
from contracts.events.message import (
    Accepted,
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
    Refused,
)
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    TwilioAccess,
)
from contracts.events.provider import TwilioStatusPolled
from contracts.events.run import RunAlarm, RunAlarmRaised, RunCompleted, RunFailed, RunStarted
from simulators.shared import running as simulating
from simulators.twilio.app import TwilioSimulator
from simulators.twilio.outcomes import Outcome
from status.app import make
from status.settings import StatusSettings


def statuses(log: Log, row: int) -> list[MessageStatus]:
    """Return a message's statuses, as they were told."""
    told = [each.event for each in log.of(MessageStatusChanged)]
    own = {each.sequence: each for each in told if each.message_id == facts.message(row)}
    return [own[sequence].status for sequence in sorted(own)]


async def test_tm_14_a_run_from_its_first_page_to_its_end(
    service_settings: ServiceSettings, log: Log
) -> None:
    [early] = await log.publish(facts.callback(1, "delivered"))
    async with running(make(service_settings, StatusSettings())):
        pages = await log.publish(facts.page([1, 2, 3], facts.totals(3, rejected=1)))
        await log.wait_for(RunStarted)
        assert log.of(RunStarted)[0].causation_id == pages[0].id
        await log.publish(facts.rejected(4), facts.excluded(3), facts.queued(1), facts.queued(2))
        sent = await log.publish(facts.submitted(1), facts.submitted(2, Refused(code=21610)))
        [completed] = await log.wait_for(RunCompleted)
        assert (completed.rows, completed.messages) == (4, 2)
        assert (completed.rejected, completed.excluded) == (1, 1)

        # Everything again, and a late report; a message that is new shows that all was read.
        await log.publish_sealed(early, *pages, *sent)
        await log.publish(facts.callback(1, "sent"), facts.callback(2, "failed", to="+12025559999"))
        for row in range(10, 40):
            await log.publish(facts.queued(row), facts.submitted(row), facts.callback(row, "sent"))
        await log.wait_for(MessageStatusChanged, count=31)
    assert statuses(log, 1)[-1] is MessageStatus.DELIVERED
    assert statuses(log, 2) == [MessageStatus.FAILED]
    assert len({each.id for each in log.of(RunStarted)}) == 1
    assert len({each.id for each in log.of(RunCompleted)}) == 1
    assert log.dead == []


async def test_a_restart_goes_on_with_what_was_parked(
    service_settings: ServiceSettings, log: Log
) -> None:
    await log.publish(facts.callback(1, "undelivered", "30003", named=False))
    async with running(make(service_settings, StatusSettings())):
        await log.publish(facts.queued(2), facts.submitted(2))
        await log.wait_for(MessageStatusChanged)
    async with running(make(service_settings, StatusSettings())):
        await log.publish(facts.queued(1), facts.submitted(1))
        [last] = await log.wait_for(
            MessageStatusChanged, where=lambda each: each.status is MessageStatus.UNDELIVERED
        )
        assert (last.error_code, last.sid) == (30003, facts.sid(1))


async def test_x7_a_spike_is_found_over_a_restart_and_told_again_after_a_resume(
    service_settings: ServiceSettings, log: Log
) -> None:
    def refused(*rows: int, seconds: float = 2) -> list[Event]:
        tried = {"attempted_at": facts.at(seconds)}
        texts = [(facts.queued(row), facts.submitted(row, Refused(code=30007))) for row in rows]
        return [e for one, other in texts for e in (one, other.model_copy(update=tried))]

    async with running(make(service_settings, StatusSettings())):
        await log.publish(*refused(*range(1, 13)))
        await log.wait_for(MessageStatusChanged, count=12)
    async with running(make(service_settings, StatusSettings())):
        await log.publish(*refused(*range(13, 21)))
        [alarm] = await log.wait_for(RunAlarmRaised)
        assert (alarm.alarm, alarm.error_code) == (RunAlarm.ERROR_SPIKE, 30007)
        await log.publish(lifecycle(CampaignPaused, 4, 10), lifecycle(CampaignResumed, 5, 20))
        # Two topics have no common order, so more are refused until the resume was read.
        for first in range(21, 500, 20):
            await log.publish(*refused(*range(first, first + 20), seconds=30))
            await log.wait_for(MessageStatusChanged, count=first + 19)
            if len(log.of(RunAlarmRaised)) > 1:
                break
        again = await log.wait_for(RunAlarmRaised, count=2)
    assert again[1].sequence > again[0].sequence


async def test_x8_a_single_text_that_is_held_is_a_run_of_its_own(
    service_settings: ServiceSettings, log: Log
) -> None:
    text = facts.requested()
    async with running(make(service_settings, StatusSettings())):
        held = facts.held(1, run=text.run_id)
        await log.publish(text, facts.queued(1, run=text.run_id), held)
        [waits] = await log.wait_for(MessageStatusChanged)
        assert waits.status is MessageStatus.HELD
        await log.publish(facts.submitted(1, run=text.run_id, sequence=3))
        [completed] = await log.wait_for(RunCompleted)
    assert (completed.run_id, completed.rows, completed.messages) == (text.run_id, 1, 1)


async def test_a_failed_audience_ends_its_run(service_settings: ServiceSettings, log: Log) -> None:
    async with running(make(service_settings, StatusSettings())):
        [failed] = await log.publish(facts.audience_failed())
        [told] = await log.wait_for(RunFailed)
        assert told.reason == "The IQA has moved."
        assert log.of(RunFailed)[0].causation_id == failed.id


ACCOUNT, TOKEN = "AC" + "1" * 32, "token"


@dataclass
class Twilio:
    """A simulated Twilio that no report ever leaves."""

    simulator: TwilioSimulator
    url: str

    def accept(self, row: int) -> str:
        """Take a text as from the sender; its SID."""
        text, _ = self.simulator.store.accept(
            account=ACCOUNT,
            to=facts.number(row),
            sender=facts.FROM,
            body="Hello",
            status_callback="",
            num_segments=1,
            outcome=outcome_of(row),
            arrived_at=now().timestamp(),
        )
        self.simulator.store.change(text, text.outcome.status or "sent", text.outcome.error_code)
        return text.sid


def outcome_of(row: int) -> Outcome:
    return Outcome("undelivered", 30003) if row % 2 else Outcome("delivered")


@pytest.fixture
async def twilio(tmp_path: Path) -> AsyncIterator[Twilio]:
    simulator = TwilioSimulator(state=tmp_path / "twilio", accounts={ACCOUNT: TOKEN})
    async with simulating(simulator) as url:
        yield Twilio(simulator, url)


def eager(url: str, *, stalled_after: float = 900.0) -> StatusSettings:
    """Settings under which seconds stand for what minutes are otherwise."""
    return StatusSettings(
        twilio_url=url,
        first_look=0.3,
        longest_wait=1.0,
        sweep=0.1,
        requests_per_second=100.0,
        back_off=0.2,
        refused_wait=0.2,
        audit=0.1,
        stalled_after=stalled_after,
    )


def organization(settings: ServiceSettings, token: str = TOKEN) -> OrganizationSettingsChanged:
    box = SecretBox(settings.secret_key)
    return OrganizationSettingsChanged(
        organization_id=facts.ORGANIZATION,
        occurred_at=now(),
        sequence=1,
        settings=OrganizationSettings(
            name="Demo",
            cloud_id="demo",
            imis=ImisAccess(url="http://127.0.0.1:1", username="x", password_encrypted="x"),
            twilio=TwilioAccess(
                account_sid=ACCOUNT, auth_token_encrypted=box.seal(SecretStr(token))
            ),
        ),
    )


def accepted(row: int, sid: str) -> MessageSubmitted:
    told = facts.submitted(row, Accepted(sid=sid))
    return told.model_copy(update={"attempted_at": now()})


async def test_x_1_reports_that_are_lost_for_ever_change_nothing_in_the_end(
    service_settings: ServiceSettings, log: Log, twilio: Twilio
) -> None:
    rows = range(1, 41)
    twilio.simulator.faults.add("get_429", times=1, params={"retry_after": 0})
    twilio.simulator.faults.add("get_500", times=1)
    twilio.simulator.faults.add("get_html", times=1)
    await log.publish(organization(service_settings))
    settings = [service_settings.model_copy(update={"instance": f"under-test-{n}"}) for n in (1, 2)]
    async with (
        running(make(settings[0], eager(twilio.url))),
        running(make(settings[1], eager(twilio.url))),
    ):
        await log.publish(*(facts.queued(row) for row in rows))
        await log.publish(*(accepted(row, twilio.accept(row)) for row in rows))
        await log.wait_for(
            MessageStatusChanged,
            where=lambda each: each.status in {MessageStatus.DELIVERED, MessageStatus.UNDELIVERED},
            count=len(rows),
        )
    assert statuses(log, 1) == [MessageStatus.SENT, MessageStatus.UNDELIVERED]
    assert statuses(log, 2) == [MessageStatus.SENT, MessageStatus.DELIVERED]
    polled = log.of(TwilioStatusPolled)
    # The log explains each status: an answer for each message, and none twice.
    assert {each.event.message_id for each in polled} == {facts.message(row) for row in rows}
    assert len({each.id for each in polled}) == len(rows)
    causes = {
        each.causation_id
        for each in log.of(MessageStatusChanged)
        if each.event.status is not MessageStatus.SENT
    }
    assert causes == {each.id for each in polled}
    assert twilio.simulator.faults.rules[0].left == 0
    assert log.dead == []


async def test_x_1_wrong_credentials_are_waited_out(
    service_settings: ServiceSettings, log: Log, twilio: Twilio
) -> None:
    await log.publish(organization(service_settings, token="old"))
    async with running(make(service_settings, eager(twilio.url))):
        await log.publish(facts.queued(1), accepted(1, twilio.accept(1)))
        await log.wait_for(MessageStatusChanged)
        newer = organization(service_settings).model_copy(update={"sequence": 2})
        await log.publish(newer)
        await log.wait_for(
            MessageStatusChanged, where=lambda each: each.status is MessageStatus.UNDELIVERED
        )


async def test_x_2_rows_of_which_nobody_ever_speaks_raise_an_alarm(
    service_settings: ServiceSettings, log: Log
) -> None:
    async with running(make(service_settings, eager("http://127.0.0.1:1", stalled_after=0.5))):
        await log.publish(facts.page([1, 2], facts.totals(2)), facts.queued(1), facts.submitted(1))
        [stalled] = await log.wait_for(RunAlarmRaised)
        assert (stalled.alarm, stalled.run_id) == ("stalled", facts.RUN)
        assert "heard of 1 of 2" in stalled.detail
        # Too many at once, and the run ends all the same.
        await log.publish(facts.queued(2), facts.submitted(2), facts.queued(3))
        await log.wait_for(RunCompleted)
        [_, contradiction] = await log.wait_for(RunAlarmRaised, count=2)
        assert contradiction.alarm == "does_not_add_up"
        assert "heard of 3 of 2" in contradiction.detail
        told = await log.wait_for(RunAlarmRaised, count=2)
        assert len(told) == 2


async def test_x_2_a_resent_run_ends_like_any_other(
    service_settings: ServiceSettings, log: Log
) -> None:
    run = ids.resend_run_id(facts.RUN, 1)
    async with running(make(service_settings, eager("http://127.0.0.1:1"))):
        await log.publish(facts.resent(1, run=run))
        await log.wait_for(RunStarted, where=lambda each: each.run_id == run)
        await log.publish(facts.queued(1, run=run), facts.submitted(1, run=run))
        [completed] = await log.wait_for(RunCompleted)
        assert (completed.run_id, completed.rows, completed.messages) == (run, 1, 1)
        await eventually(lambda: log.of(MessageStatusChanged))
