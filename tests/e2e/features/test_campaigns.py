"""TM-4, TM-6, TM-7, TM-10, TM-11, TM-12, X-13: what an author writes, sees and sends."""

import pytest
from tests.e2e.features.organization import Organization, until
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_tm11_a_draft_may_lack_anything_but_its_name_and_scheduling_names_all(
    org: Organization,
) -> None:
    assert org.call("POST", "campaigns", {"template": "Hi"}).status == 422
    draft = org.post("campaigns", {"name": "Only a name"})
    refused = org.call("POST", f"campaigns/{draft['campaign_id']}/schedule", {"at": None})
    assert refused.status == 422
    assert {"audience", "template"} <= {each["field"] for each in refused["errors"]}
    changed = org.patch(f"campaigns/{draft['campaign_id']}", {"template": "Hello"})
    assert (changed["status"], changed["template"]) == ("draft", "Hello")


def test_tm7_a_field_that_no_column_has_is_refused_with_the_known_ones(org: Organization) -> None:
    path = org.query(
        [("101", "Ann", "+12132001001")], columns=("iMIS Id", "First Name", "Mobile Phone")
    )
    audience = {"iqa_path": path, "phone_column": "Mobile Phone", "id_column": "iMIS Id"}
    wrong = {"name": "x", "audience": audience, "template": "Hi ${Frist Name}"}
    refused = org.call("POST", "campaigns", wrong)
    assert refused.status == 422
    assert "First Name" in refused.text and "Mobile Phone" in refused.text


def test_tm7_values_merge_with_fallbacks_and_are_never_a_template(org: Organization) -> None:
    (one, _, phone_one), (two, _, phone_two) = org.members(2)
    rows = [(one, "Ann ${Secret} $5", phone_one), (two, None, phone_two)]
    org.send(org.query(rows), "Hello ${FullName|Member}, $${FullName} costs $5")
    assert {each["body"] for each in org.texts()} == {
        "Hello Ann ${Secret} $5, ${FullName} costs $5",
        "Hello Member, ${FullName} costs $5",
    }


def test_tm10_the_summary_is_what_then_happens(org: Organization) -> None:
    people = org.members(40)
    rows: list[tuple[str, str | None, str | None]] = [*people[:36]]
    rows += [(member, None, phone) for member, _, phone in people[36:]]
    rows += [("77", "Bad Number", "12345"), ("78", "No Number", None), rows[0]]
    campaign = org.campaign(org.query(rows), "Hello ${FullName}, ě")
    summary = org.post(f"campaigns/{campaign}/summary")
    assert summary["contacts_returned"] == 43
    assert summary["will_be_sent_to"] == 40
    assert summary["excluded"] == {"invalid_number": 1, "no_number": 1, "repeated_row": 1}
    assert summary["lacking_by_field"] == {"FullName": 4}
    assert summary["ucs2_messages"] == 40
    assert summary["ucs2_characters"] == {"ě": 40}
    assert summary["samples"][0]["text"].startswith("Hello ")
    run = org.over(org.launch(campaign))
    assert run["messages"] == summary["will_be_sent_to"] == len(org.texts())
    assert run["segments"] == summary["estimated_segments"]
    assert run["by_reason"] == summary["excluded"]


def test_tm10_an_opted_out_member_is_not_counted_in(org: Organization) -> None:
    people = org.members(3)
    path = org.query(people)
    org.post("opt-outs", {"number": people[0][2]})
    until(lambda: org.get("opt-outs")["items"])
    campaign = org.campaign(path)
    summary = until(lambda: _with_opt_out(org, campaign))
    assert summary["will_be_sent_to"] == 2
    run = org.over(org.launch(campaign))
    assert run["by_reason"] == {"opted_out": 1}
    assert len(org.texts()) == 2


def _with_opt_out(org: Organization, campaign: str) -> object:
    summary = org.post(f"campaigns/{campaign}/summary")
    return summary if summary["excluded"].get("opted_out") else None


def test_tm6_a_test_conducts_everything_and_sends_nothing(system: System) -> None:
    org = system.organization(segments_per_day=1)
    org.send(org.query(org.members(1)))
    before = org.get("dashboard")
    run = org.send(org.query(org.members(20)), mode="TEST")
    assert run["state"] == "completed"
    assert run["by_status"]["simulated"] == 20
    assert len(org.texts()) == 1 and len(org.activities()) <= 1
    assert org.get("dashboard")["segments_used_today"] == before["segments_used_today"] == 1


def test_tm12_a_campaign_s_life_and_who_did_what(org: Organization) -> None:
    campaign = org.campaign(org.query(org.members(2)))
    org.over(org.launch(campaign))
    shown = until(lambda: _in_status(org, campaign, "completed"))
    assert org.call("POST", f"campaigns/{campaign}/schedule", {"at": None}).status == 409
    assert org.post(f"campaigns/{campaign}/archive")["status"] == "archived"
    assert org.post(f"campaigns/{campaign}/restore")["status"] == "completed"
    copy = org.post(f"campaigns/{campaign}/copy")
    assert (copy["status"], copy["template"]) == ("draft", shown["template"])
    history = org.get(f"campaigns/{campaign}/history")["items"]
    told = [each["what"] for each in sorted(history, key=lambda each: each["at"])]
    assert told[:2] == ["drafted", "scheduled"] and told[-2:] == ["archived", "restored"]
    assert history[0]["by"] or history[-1]["by"]
    assert org.call("DELETE", f"campaigns/{copy['campaign_id']}").status == 204
    assert org.call("GET", f"campaigns/{copy['campaign_id']}").status == 404


def _in_status(org: Organization, campaign: str, status: str) -> object:
    shown = org.get(f"campaigns/{campaign}")
    return shown if shown["status"] == status else None


def test_tm12_an_edit_under_way_is_refused_and_the_run_keeps_its_text(system: System) -> None:
    numbers = [{"number": "+18885559001", "segments_per_second": 5}]
    org = system.organization(numbers=numbers)
    org.number = "+18885559001"
    campaign = org.campaign(org.query(org.members(25)), "Old ${FullName}")
    run = org.launch(campaign)
    until(org.texts)
    org.post(f"campaigns/{campaign}/pause")
    org.patch(f"campaigns/{campaign}", {"template": "New ${FullName}"})
    org.post(f"campaigns/{campaign}/resume")
    org.over(run)
    assert len(org.texts()) == 25
    assert all(each["body"].startswith("Old ") for each in org.texts())


def test_x13_the_author_gets_a_real_member_s_text_first(org: Organization) -> None:
    campaign = org.campaign(org.query(org.members(5)), "Hello ${FullName}!")
    summary = org.post(f"campaigns/{campaign}/summary")
    org.post(f"campaigns/{campaign}/send-me-first", {"to": "+12133339999"})
    [text] = until(org.texts)
    assert text["to"] == "+12133339999"
    assert text["body"] in {each["text"] for each in summary["samples"]}
    assert org.get(f"campaigns/{campaign}")["status"] == "draft"
    assert org.activities() == []


def test_tm5_zero_rows_are_refused_unless_confirmed(org: Organization) -> None:
    campaign = org.campaign(org.query([]), "Hello")
    refused = org.call("POST", f"campaigns/{campaign}/schedule", {"at": None})
    assert refused.status == 422
    org.patch(f"campaigns/{campaign}", {"accept_empty": True})
    run = org.over(org.launch(campaign))
    assert (run["state"], run["rows"], run["messages"]) == ("completed", 0, 0)
