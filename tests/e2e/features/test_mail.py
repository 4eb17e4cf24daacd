"""TM-4, TM-16, X-20: who gets a mail about what."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.features.organization import Organization, ask, until
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_tm4_the_report_goes_to_the_campaign_s_address_with_its_csv(org: Organization) -> None:
    author = f"author@{org.cloud_id}.example"
    org.send(org.query(org.members(3)), name="Dues 2027", email=author)
    [mail] = until(lambda: org.mails(author))
    assert "Dues 2027" in mail["subject"]
    assert "3" in mail["text"] and mail["html"]
    assert [each["name"].endswith(".csv") for each in mail["attachments"]] == [True]


def test_tm16_the_default_address_hears_what_goes_wrong(system: System) -> None:
    org = system.organization(default_email="desk@example.org")
    desk = f"desk@{org.cloud_id}.example"
    org.patch("settings", {"default_email": desk})
    path = org.query(org.members(2))
    campaign = org.campaign(path)
    at = (datetime.now(UTC) + timedelta(seconds=7)).isoformat()
    run = org.post(f"campaigns/{campaign}/schedule", {"at": at})["run_id"]
    # The query is moved before the campaign runs.
    ask("DELETE", f"{org.imis}/_sim/queries", {"path": path})
    assert org.over(run)["state"] == "failed"
    [mail] = until(lambda: org.mails(desk))
    assert "A campaign" in mail["subject"]
    assert org.texts() == []


def test_x20_an_audience_that_shrank_is_told(system: System) -> None:
    org = system.organization()
    desk = f"desk@{org.cloud_id}.example"
    org.patch("settings", {"default_email": desk})
    people = org.members(10)
    path = org.query(people)
    starts = (datetime.now(UTC) + timedelta(seconds=8)).replace(tzinfo=None, microsecond=0)
    rule = {"rule": "FREQ=DAILY", "starts": starts.isoformat()}
    campaign = org.campaign(path, kind="recurring", recurrence=rule)
    org.post(f"campaigns/{campaign}/schedule")
    until(lambda: len(org.texts()) == 10, seconds=40)
    org.query(people[:2], path=path)
    again = (datetime.now(UTC) + timedelta(seconds=8)).replace(tzinfo=None, microsecond=0)
    org.patch(f"campaigns/{campaign}", {"recurrence": {**rule, "starts": again.isoformat()}})
    until(lambda: len(org.texts()) == 12, seconds=40)
    [mail] = until(lambda: org.mails(desk))
    assert "2" in mail["text"] and "10" in mail["text"]


def test_x20_an_expired_password_is_one_mail_and_all_goes_on_when_it_is_saved(
    system: System,
) -> None:
    org = system.organization()
    desk = f"desk@{org.cloud_id}.example"
    org.patch("settings", {"default_email": desk})
    runs = [org.campaign(org.query(org.members(1)), f"text {n}") for n in range(2)]
    wrong = {**org.founding["imis"], "password": "expired"}
    before = ask("GET", f"{org.imis}/_sim/stats")["failed_logins"]
    assert org.call("PUT", "settings/imis", wrong).status == 200
    at = (datetime.now(UTC) + timedelta(seconds=7)).isoformat()
    waiting = [org.post(f"campaigns/{each}/schedule", {"at": at})["run_id"] for each in runs]
    [mail] = until(lambda: org.mails(desk), seconds=40)
    assert "password" in mail["text"].lower()
    failed = ask("GET", f"{org.imis}/_sim/stats")["failed_logins"] - before
    assert failed <= 3
    assert org.call("PUT", "settings/imis", org.founding["imis"]).status == 200
    for each in waiting:
        assert org.over(each)["by_status"] == {"delivered": 1}
    assert len(org.mails(desk)) == 1
