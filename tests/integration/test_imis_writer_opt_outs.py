"""TM-8, TM-21: the Communication Log and the marks of those who opted out, in a simulated iMIS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.harness import Log, eventually, running
from tests.imis_writer.facts import MEMBER, NOON, after, excluded, opted_out_there, start, stop
from tests.integration.imis_writing import FIRST_ID, Texts, simulated, site, writer

from chassis.settings import ServiceSettings
from contracts.events.activity import ActivityDeleted, ActivityRefused, ActivityWritten
from contracts.events.campaign import WriteTo
from simulators.imis import ImisSimulator

LOG = WriteTo.COMMUNICATION_LOG


@pytest.fixture
async def imis(tmp_path: Path) -> AsyncIterator[tuple[ImisSimulator, str]]:
    async with simulated(tmp_path) as found:
        yield found


@pytest.mark.parametrize("fault", ["timeout_after_commit", "drop_after_commit", "hang"])
async def test_tm21_stop_two_campaigns_and_start_leave_nothing_in_imis(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str], fault: str
) -> None:
    """Left out twice, two TEXTUNSUB; both are deleted, though iMIS's answers get lost."""
    simulator, url = imis
    member = str(FIRST_ID)
    first, second = (excluded(imis_id=member, occurred_at=after(n)) for n in (10, 20))
    simulator.faults.add(fault, times=1, match={"method": "POST", "path": "/api/Activity"})
    simulator.faults.add(fault, times=1, match={"method": "DELETE"})
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url, category_column="UF_3"))
        await log.publish_sealed(stop(1, NOON), first, second, first)
        written = await log.wait_for(ActivityWritten, count=2)
        held = [simulator.ledger.activities[int(each.seqn)] for each in written]
        came = start(2, after(60))
        await log.publish_sealed(came, came)
        deleted = await log.wait_for(ActivityDeleted, count=2)
        # Everything comes once more, and changes nothing.
        await log.publish_sealed(first, second, came)
        third = excluded(imis_id=member, occurred_at=after(99))
        await log.publish_sealed(stop(3, after(90)), third)
        last = third.event.message_id
        await log.wait_for(ActivityWritten, where=lambda each: each.message_id == last)
    for each in held:
        assert (each["type"], each["party"], each["uf_1"]) == ("TEXTUNSUB", member, MEMBER)
        assert (each["extra"]["UF_3"], each["note"], each["description"]) == (
            "Text Manager",
            "",
            "",
        )
    assert {each["transaction_date"] for each in held} == {
        "2026-03-01T12:00:10",
        "2026-03-01T12:00:20",
    }
    assert {each.seqn for each in deleted} == {each.seqn for each in written}
    assert (simulator.ledger.created, len(simulator.ledger.activities)) == (3, 1)
    assert len(log.of(ActivityWritten)) == 3


@pytest.mark.parametrize("by_callback", [True, False])
async def test_tm21_an_error_21610_is_marked_once(
    service_settings: ServiceSettings,
    log: Log,
    imis: tuple[ImisSimulator, str],
    by_callback: bool,
) -> None:
    simulator, url = imis
    texts = Texts(log)
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        if by_callback:
            [message_id] = await texts.send()
        else:
            [message_id] = await texts.queue()
        told = [opted_out_there(message_id, sequence=number) for number in (3, 4)]
        await log.publish_sealed(*told, *told)
        await log.wait_for(ActivityWritten, where=lambda each: each.kind == "TEXTUNSUB")
        marker = await texts.send()
        await log.wait_for(ActivityWritten, where=lambda each: each.message_id in marker)
    kinds = [each["type"] for each in simulator.ledger.activities.values()]
    expected = ["TEXTMSG"] * (1 + by_callback) + ["TEXTUNSUB"]
    assert sorted(kinds) == expected


async def test_tm21_a_missing_type_is_explained_and_mended_by_hand(
    service_settings: ServiceSettings, log: Log, imis: tuple[ImisSimulator, str]
) -> None:
    simulator, url = imis
    simulator.settings.activity_types -= {"TEXTUNSUB"}
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        await log.publish_sealed(excluded(imis_id=str(FIRST_ID)))
        [refused] = await log.wait_for(ActivityRefused)
    assert "no activity type TEXTUNSUB. Create it" in refused.reason


@pytest.mark.parametrize("part", ["CommunicationLog", "CommunicationLogRecipient"])
@pytest.mark.parametrize("fault", ["timeout_after_commit", "500_before"])
async def test_tm8_each_text_is_one_entry_of_the_log_though_answers_get_lost(
    service_settings: ServiceSettings,
    log: Log,
    imis: tuple[ImisSimulator, str],
    fault: str,
    part: str,
) -> None:
    simulator, url = imis
    simulator.faults.add(fault, times=2, match={"method": "POST", "path": f"/api/{part}"})
    async with running(writer(service_settings)):
        await log.publish(site(service_settings, url))
        await Texts(log).send(5, write_to=LOG, log_subject="Spring fair")
        written = await log.wait_for(ActivityWritten, count=5)
    entries = [each for each in simulator.ledger.communications if "subject" in each]
    records = [each for each in simulator.ledger.communications if "party" in each]
    assert (len(entries), len(records)) == (5, 5)
    assert {each["subject"] for each in entries} == {"Spring fair"}
    assert {each["party"] for each in records} == {str(FIRST_ID + n) for n in range(5)}
    assert {(each["address"], each["message_type"]) for each in records} == {(MEMBER, 1)}
    by_id = {str(each["id"]): each["html"] for each in entries}
    for each in written:
        assert each.kind == "LOG"
        assert f"Hello {int(each.imis_id) - FIRST_ID} 🌞" in by_id[each.seqn]
    assert simulator.ledger.created == 0


async def test_tm8_on_imis_2017_the_log_is_refused_with_the_reason(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    async with simulated(tmp_path, "2017") as (simulator, url), running(writer(service_settings)):
        await log.publish(site(service_settings, url, version="2017"))
        await Texts(log).send(1, write_to=LOG)
        [refused] = await log.wait_for(ActivityRefused)
        await eventually(lambda: simulator.in_flight == 0)
    assert "iMIS 2017 has no Communication Log" in refused.reason
    assert simulator.ledger.communications == []
