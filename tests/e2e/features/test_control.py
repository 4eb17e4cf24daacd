"""X-4, X-6, X-7, X-8, TM-15, TM-19: what holds texts back, and what doesn't."""

import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.e2e.features.organization import Organization, until
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


@pytest.fixture
def slow(system: System) -> Organization:
    """An organisation whose number sends ten a second, so that a run lasts."""
    org = system.organization()
    number = {"number": org.number, "segments_per_second": 10, "verification": "verified"}
    org.patch("settings", {"numbers": [number]})
    return org


def quiet_for(org: Organization, seconds: float) -> int:
    """See that nothing leaves from 2 s after an answer on; returns how many had left."""
    time.sleep(2)
    before = len(org.texts())
    time.sleep(seconds)
    assert len(org.texts()) == before
    return before


def test_x6_pause_holds_resume_goes_on_and_nobody_is_texted_twice(slow: Organization) -> None:
    campaign = slow.campaign(slow.query(slow.members(60)))
    run = slow.launch(campaign)
    until(lambda: len(slow.texts()) > 5)
    slow.post(f"campaigns/{campaign}/pause", {"reason": "a typo"})
    sent = quiet_for(slow, 1.5)
    assert sent < 60
    shown = slow.get(f"campaigns/{campaign}")
    assert shown["status"] == "paused"
    slow.post(f"campaigns/{campaign}/resume")
    slow.over(run)
    assert len({each["to"] for each in slow.texts()}) == len(slow.texts()) == 60


def test_x6_cancel_leaves_out_what_was_not_sent_and_says_so(slow: Organization) -> None:
    campaign = slow.campaign(slow.query(slow.members(60)))
    run = slow.launch(campaign)
    until(lambda: len(slow.texts()) > 5)
    slow.post(f"campaigns/{campaign}/cancel")
    shown = slow.over(run)
    assert shown["by_reason"]["cancelled"] == 60 - len(slow.texts()) > 0
    assert slow.get(f"campaigns/{campaign}")["status"] == "cancelled"


def test_x6_the_panic_stop_holds_everything_and_loses_nothing(slow: Organization) -> None:
    run = slow.launch(slow.campaign(slow.query(slow.members(40))))
    until(slow.texts)
    slow.post("stop", {"reason": "wrong audience"})
    urgent = slow.post("messages", {"to": "+12133338888", "text": "Hi"}, key="urgent-1")
    sent = quiet_for(slow, 1.5)
    assert sent < 40
    assert slow.get("dashboard")["stopped"]
    assert slow.call("DELETE", "stop").status in {200, 204}
    slow.over(run)
    slow.over(urgent["run_id"])
    assert len(slow.texts()) == 41


def test_x8_an_urgent_message_overtakes_a_campaign(slow: Organization) -> None:
    run = slow.launch(slow.campaign(slow.query(slow.members(60))))
    until(lambda: len(slow.texts()) > 3)
    began = time.monotonic()
    wanted = {"to": "(213) 333-7777", "text": "The hall is closed."}
    asked = slow.post("messages", wanted, key="hall")
    until(lambda: any(each["body"] == "The hall is closed." for each in slow.texts()))
    assert time.monotonic() - began < 2.5
    assert slow.post("messages", wanted, key="hall") == asked
    slow.over(run)
    assert len(slow.texts()) == 61


def test_x8_two_campaigns_share_a_number_fairly(slow: Organization) -> None:
    big = slow.launch(slow.campaign(slow.query(slow.members(80)), "big"))
    until(lambda: len(slow.texts()) > 2)
    small = slow.launch(slow.campaign(slow.query(slow.members(10)), "small"))
    slow.over(big)
    slow.over(small)
    bodies = [each["body"] for each in slow.texts()]
    last = max(place for place, body in enumerate(bodies) if body == "small")
    first = bodies.index("small")
    assert last - first <= 25


def test_x7_a_spike_of_one_error_pauses_the_campaign_and_says_which(system: System) -> None:
    org = system.organization(spike_errors=5, spike_window=20)
    number = {"number": org.number, "segments_per_second": 10}
    org.patch("settings", {"numbers": [number]})
    # The simulated Twilio filters numbers that end so (30007).
    first = org.first_id
    rows = [(str(first + n), f"M {n}", f"+1213{200 + n:03}0006") for n in range(60)]
    campaign = org.campaign(org.query(rows))
    org.launch(campaign)
    until(lambda: org.get(f"campaigns/{campaign}")["status"] == "paused")
    history = org.get(f"campaigns/{campaign}/history")["items"]
    assert any("30007" in each["reason"] for each in history)
    assert quiet_for(org, 1) < 60


def test_x7_an_error_of_configuration_pauses_at_once(org: Organization) -> None:
    # A magic number of Twilio's: this sender may not send (21606).
    org.patch("settings", {"numbers": [{"number": "+15005550007", "segments_per_second": 10}]})
    campaign = org.campaign(org.query(org.members(30)))
    run = org.launch(campaign)
    until(lambda: org.get(f"campaigns/{campaign}")["status"] == "paused")
    failed = until(lambda: org.run(run)["by_status"].get("failed"))
    assert failed < 30
    assert org.texts() == []


def test_x4_promotional_texts_wait_for_the_member_s_morning(org: Organization) -> None:
    night = _zone_at_night()
    [(member, name, phone)] = org.members(1)
    columns = ("iMIS Id", "FullName", "Mobile Phone", "Zone")
    path = org.query([(member, name, phone, night)], columns=columns)
    audience = {"iqa_path": path, "zone_column": "Zone"}
    held = org.launch(org.campaign(audience, "Sale!", purpose="promotional"))
    until(lambda: org.run(held)["by_status"].get("held") == 1)
    run = org.over(org.launch(org.campaign(audience, "News")))
    assert run["by_status"]["delivered"] == 1
    assert [each["body"] for each in org.texts()] == ["News"]


def _zone_at_night() -> str:
    """Return a zone where it is between 23:00 and 06:00 now."""
    for hours in range(-11, 13):
        zone = f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"
        if datetime.now(UTC).astimezone(ZoneInfo(zone)).hour in {0, 1, 2, 3, 4}:
            return zone
    raise AssertionError("there is always night somewhere")


def test_tm15_the_campaign_s_limit_refuses_at_scheduling(system: System) -> None:
    org = system.organization(segments_per_run=10)
    campaign = org.campaign(org.query(org.members(11)))
    refused = org.call("POST", f"campaigns/{campaign}/schedule", {"at": None})
    assert refused.status == 422
    assert "11" in refused.text and "10" in refused.text


@pytest.mark.parametrize("policy", ["hold", "leave_out"])
def test_tm15_the_day_s_limit_holds_or_leaves_out_by_choice(system: System, policy: str) -> None:
    org = system.organization(segments_per_day=5, over_day_limit=policy)
    run = org.launch(org.campaign(org.query(org.members(8))))
    until(lambda: len(org.texts()) == 5)
    if policy == "leave_out":
        assert org.over(run)["by_reason"] == {"over_day_limit": 3}
    else:
        held: Any = until(lambda: org.run(run)["held"])
        assert (held[0]["held_by"], held[0]["messages"]) == ("day_limit", 3)
    assert quiet_for(org, 1) == 5


def test_tm19_a_number_that_is_not_verified_sends_nothing(system: System) -> None:
    org = system.organization()
    number = {"number": org.number, "segments_per_second": 3, "verification": "pending"}
    org.patch("settings", {"numbers": [number]})
    campaign = org.campaign(org.query(org.members(1)))
    refused = org.call("POST", f"campaigns/{campaign}/schedule", {"at": None})
    assert refused.status == 422 and "verified" in refused.text
    assert org.texts() == []
