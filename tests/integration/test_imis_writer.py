"""TM-8, X-1, X-10: each text that was sent is one activity in iMIS, whatever iMIS answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from tests.harness import Log, eventually, running
from tests.imis_writer.facts import NOON, ORGANIZATION, retry
from tests.integration.imis_writing import FIRST_ID, Texts, simulated, site, writer

from chassis.settings import ServiceSettings
from contracts.events.activity import ActivitiesHeld, ActivityRefused, ActivityWritten
from contracts.events.campaign import Mode, WriteTo
from simulators.imis import ImisSimulator


@pytest.fixture
async def imis(tmp_path: Path) -> AsyncIterator[tuple[ImisSimulator, str]]:
    async with simulated(tmp_path) as found:
        yield found


@pytest.fixture
def texts(log: Log) -> Texts:
    return Texts(log)


async def test_tm_8_each_text_is_one_activity_as_documented(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url, category_column="UF_3"))
        ids = await texts.send(100)
        ids += await texts.send(1, status_first=True)
        await texts.send(1, write_to=WriteTo.NOTHING)
        await texts.send(1, mode=Mode.TEST)
        written = await log.wait_for(ActivityWritten, count=101)
        # Everything comes once more, and changes nothing.
        repeats = [each for each in log.envelopes if each.event.source in {"sender", "status"}]
        await log.publish_sealed(*repeats)
        marker = await texts.send(1)
        await log.wait_for(ActivityWritten, where=lambda each: each.message_id in marker)
    assert {each.message_id for each in written} == set(ids)
    assert simulator.ledger.created == 102
    assert len({each.seqn for each in written}) == 101
    activity = simulator.ledger.activities[int(written[0].seqn)]
    assert activity["type"] == "TEXTMSG"
    assert activity["party"] == written[0].imis_id
    assert activity["transaction_date"] == "2026-03-01T12:00:00"
    assert activity["description"] == "+12025550143"
    assert activity["note"] == f"Hello {int(written[0].imis_id) - FIRST_ID} 🌞"
    assert activity["extra"]["UF_3"] == "Text Manager"
    assert written[0].transaction_date == NOON
    causes = {each.causation_id for each in log.of(ActivityWritten)}
    assert len(causes) == 102


@pytest.mark.parametrize(
    "fault", ["timeout_after_commit", "drop_after_commit", "500_after", "500_before", "hang"]
)
async def test_x_10_a_lost_answer_is_looked_for_before_it_is_written_again(
    service_settings: ServiceSettings,
    log: Log,
    imis: tuple[ImisSimulator, str],
    texts: Texts,
    fault: str,
) -> None:
    simulator, url = imis
    simulator.faults.add(fault, times=3, match={"method": "POST", "path": "/api/Activity"})
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        ids = await texts.send(10)
        written = await log.wait_for(ActivityWritten, count=10)
    assert {each.message_id for each in written} == set(ids)
    held = simulator.ledger.activities
    assert simulator.ledger.created == 10
    assert {str(seqn) for seqn in held} == {each.seqn for each in written}


@pytest.mark.parametrize("fault", ["429", "401_live_token"])
async def test_a_site_that_can_t_now_is_asked_again(
    service_settings: ServiceSettings,
    log: Log,
    imis: tuple[ImisSimulator, str],
    texts: Texts,
    fault: str,
) -> None:
    simulator, url = imis
    simulator.faults.add(fault, times=6, params={"retry_after": 1})
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        await texts.send(5)
        await log.wait_for(ActivityWritten, count=5)
    assert simulator.ledger.created == 5


async def test_a_missing_activity_type_is_explained(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    simulator.settings.activity_types = frozenset({"CALL"})
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        await texts.send()
        [refused] = await log.wait_for(ActivityRefused)
    assert "TEXTMSG" in refused.reason
    assert "Create it" in refused.reason


async def test_x20_an_expired_password_is_tried_once_and_told_once_and_all_goes_on_when_saved_anew(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url, password="old"))
        await texts.send(20)
        [held] = await log.wait_for(ActivitiesHeld)
    # A new process tries as little as the old one, whatever else comes.
    async with running(writer(service_settings)):
        await texts.send(5)
        await log.publish(site(service_settings, url, sequence=2, password="old too"))
        await log.wait_for(ActivitiesHeld, where=lambda each: each.settings_sequence == 2)
        assert simulator.logins.bad == 2
        await log.publish(site(service_settings, url, sequence=3))
        await log.wait_for(ActivityWritten, count=25)
    assert (simulator.logins.bad, simulator.ledger.created) == (2, 25)
    assert len(log.of(ActivitiesHeld)) == 2
    assert "Save them anew" in held.reason


async def test_tm8_a_member_merged_away_is_listed_with_imis_s_reason_and_tried_again_by_hand(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    gone = str(FIRST_ID + 1)
    simulator.settings.merged_away = frozenset({gone})
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        await texts.send(3)
        await log.wait_for(ActivityWritten, count=2)
        [refused] = await log.wait_for(ActivityRefused)
        assert (refused.imis_id, refused.kind) == (gone, "TEXTMSG")
        assert "The party does not exist." in refused.reason
        simulator.settings.merged_away = frozenset()
        again = retry(datetime.now(UTC), refused.message_id)
        await log.publish_sealed(again, again)
        await log.wait_for(ActivityWritten, where=lambda each: each.imis_id == gone)
    assert simulator.ledger.created == 3


async def test_tm_6_a_test_is_written_where_the_settings_say_so(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url, test_runs=True))
        await texts.send(2, mode=Mode.TEST)
        await log.wait_for(ActivityWritten, count=2)
    assert simulator.ledger.created == 2


async def test_one_organisation_s_hanging_site_delays_no_other(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    other = UUID(int=77)
    simulator.faults.add("hang", match={"user": "staff"})
    hanging = site(service_settings, url, password="staff-pass", organization_id=other)
    access = hanging.settings.imis.model_copy(update={"username": "staff"})
    changed = hanging.settings.model_copy(update={"imis": access})
    async with running(writer(service_settings, request_timeout=30, second_look=40)):
        await log.publish(hanging.model_copy(update={"settings": changed}))
        await texts.send(50, organization_id=other)
        await eventually(lambda: simulator.in_flight)
        await log.publish(site(service_settings, url))
        await texts.send(50)
        written = await log.wait_for(ActivityWritten, count=50)
        assert {each.organization_id for each in written} == {ORGANIZATION}
        # The other's first requests have no answer yet.
        assert simulator.in_flight
        simulator.faults.clear()


async def test_what_a_dead_process_had_claimed_is_looked_for(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], texts: Texts
) -> None:
    simulator, url = imis
    simulator.faults.add("timeout_after_commit", match={"method": "POST"})
    async with running(writer(service_settings, request_timeout=30, second_look=40)):
        await log.publish(site(service_settings, url))
        await texts.send(3)
        await eventually(lambda: simulator.ledger.created == 3)
    # It was stopped in the middle of its requests: it never learned how they ended.
    simulator.faults.clear()
    assert not log.of(ActivityWritten)
    async with running(writer(service_settings)):
        written = await log.wait_for(ActivityWritten, count=3)
    assert simulator.ledger.created == 3
    assert {each.seqn for each in written} == {"1", "2", "3"}
