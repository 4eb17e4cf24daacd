"""TM-20, X-3: who said STOP is left alone, at once."""

import pytest
from tests.e2e.features.organization import Organization, ask, until
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_x3_a_stop_in_the_middle_of_a_run_counts(system: System) -> None:
    org = system.organization()
    org.patch("settings", {"numbers": [{"number": org.number, "segments_per_second": 10}]})
    people = org.members(60)
    run = org.launch(org.campaign(org.query(people)))
    until(lambda: len(org.texts()) > 3)
    org.text_in(people[-1][2], "quit!")
    shown = org.over(run)
    assert shown["by_reason"] == {"opted_out": 1}
    assert people[-1][2] not in {each["to"] for each in org.texts()}


@pytest.mark.parametrize("word", ["STOP", "stopall", "Unsubscribe.", "CANCEL!", "end", "Quit"])
def test_tm20_each_word_opts_out(org: Organization, word: str) -> None:
    [(_, _, phone)] = org.members(1)
    org.text_in(phone, word)
    [listed] = until(lambda: org.get("opt-outs")["items"])
    assert (listed["number"], listed["from_number"]) == (phone, org.number)


def test_tm20_we_reply_where_nobody_else_does(system: System) -> None:
    org = system.organization()
    # Twilio leaves a long code's opt-outs to the customer, where it was asked to.
    org.number = f"+1213777{org.number[-4:]}"
    ask("POST", f"{org.at.twilio}/_sim/settings", {"left_to_customer": org.number})
    number = {"number": org.number, "segments_per_second": 10, "replies": "us"}
    org.patch("settings", {"numbers": [number]})
    [(_, _, phone)] = org.members(1)
    org.text_in(phone, "STOP")
    [reply] = until(org.texts)
    assert reply["to"] == phone
    assert reply["body"] == (
        "You have successfully been unsubscribed. You will not receive any more messages from "
        "this number. Reply START to resubscribe."
    )


def test_tm20_free_text_waits_for_a_person(org: Organization) -> None:
    (_, _, one), (_, _, two) = org.members(2)
    org.text_in(one, "please do not text me any more")
    org.text_in(two, "Stop by our booth on Friday")
    [review] = until(lambda: org.get("reviews", status="open")["items"])
    assert review["number"] == one
    org.post(f"reviews/{review['review_id']}", {"status": "opted_out"})
    [listed] = until(lambda: org.get("opt-outs")["items"])
    assert (listed["number"], listed["cause"]) == (one, "staff")


def test_tm20_opt_outs_come_in_and_go_out_as_csv(org: Organization) -> None:
    people = org.members(3)
    lines = ["number,since", *(f"{phone},2025-01-31" for _, _, phone in people), "nonsense,"]
    told = org.post("opt-outs/import", "\n".join(lines), content="text/csv")
    assert told["taken"] == 3
    assert [each["line"] for each in told["rejected"]] == [5]
    until(lambda: len(org.get("opt-outs")["items"]) == 3)
    exported = org.call("GET", "opt-outs.csv")
    assert exported.status == 200
    assert all(phone in exported.text for _, _, phone in people)
    assert org.send(org.query(people))["by_reason"] == {"opted_out": 3}


def test_tm20_an_opt_out_is_one_organisation_s(system: System) -> None:
    one, other = system.organization(), system.organization()
    [(_, _, phone)] = one.members(1)
    one.text_in(phone, "STOP")
    until(lambda: one.get("opt-outs")["items"])
    assert other.get("opt-outs")["items"] == []
    run = other.send(other.query([(str(other.first_id), "Same", phone)]))
    assert run["by_status"] == {"delivered": 1}
