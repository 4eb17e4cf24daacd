"""TM-3, TM-12, TM-14, TM-22: every figure, and that they agree."""

import csv
import io

import pytest
from tests.e2e.features.organization import Organization, until
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def mixed(org: Organization) -> list[tuple[str, str, str]]:
    """Members of whom Twilio delivers to three, fails two, and refuses one number."""
    first = org.first_id + 5_000
    endings = ("0006", "0008", "0014")
    return [
        *org.members(3),
        *((str(first + n), f"M {n}", f"+1213402{end}") for n, end in enumerate(endings)),
    ]


def test_tm3_the_dashboard_counts_what_was_sent(system: System) -> None:
    org = system.organization(segments_per_day=100)
    org.post("campaigns", {"name": "A draft"})
    org.send(org.query(mixed(org)))
    until(lambda: org.get("dashboard")["campaigns"]["completed"] == 1)
    shown = org.get("dashboard")
    assert shown["performance_level"] == "Flex"
    assert shown["texts_today"] == shown["texts_this_month"] == shown["texts_lifetime"] == 4
    assert shown["failed_lifetime"] == 2
    assert (shown["segments_per_day"], shown["segments_used_today"]) == (100, 5)
    assert shown["campaigns"]["draft"] == 1


def test_tm12_a_run_s_dashboard_says_which_errors_and_when(org: Organization) -> None:
    run = org.send(org.query(mixed(org)))
    shown = org.get(f"runs/{run['run_id']}/dashboard")
    errors = {each["error_code"]: each for each in shown["errors"]}
    assert {30007, 30005, 21614} <= errors.keys()
    assert errors[30007]["messages"] == 1 and errors[30007]["meaning"]
    assert sum(each["messages"] for each in shown["hours"]) >= 5


def test_tm12_messages_go_out_as_csv_that_no_spreadsheet_runs(org: Organization) -> None:
    [(member, _, phone)] = org.members(1)
    run = org.send(org.query([(member, "=1+1", phone)]), "${FullName}")
    answer = org.call("GET", f"runs/{run['run_id']}/messages.csv")
    assert answer.status == 200
    [row] = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    assert "=1+1" in str(row) and member in row.values()


def test_tm14_each_status_says_what_it_means(org: Organization) -> None:
    told = {each["status"]: each for each in org.get("statuses")["items"]}
    assert {
        "preparing",
        "held",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "error",
        "simulated",
        "unknown",
    } <= told.keys()
    assert all(each["meaning"] and each["link"] for each in told.values())


def test_tm22_usage_agrees_with_the_ledger_to_the_segment(org: Organization) -> None:
    path = org.query(mixed(org))
    run = org.send(path, "a" * 161)
    org.send(path, mode="TEST")
    usage = org.get("usage", by="day")
    total = usage["total"]
    # Delivered and undelivered are charged; failed, refused and TEST are not.
    assert total["charged"]["messages"] == 4
    assert total["charged"]["segments"] == 8
    assert total["uncharged"]["simulated"]["messages"] == 6
    by_campaign = org.get("usage", by="campaign")
    assert by_campaign["total"] == total
    assert run["by_status"]["delivered"] + run["by_status"]["undelivered"] == 4
