"""TM-8, TM-21, TM-23: what iMIS holds afterwards."""

import pytest
from tests.e2e.features.organization import Organization, ask, until
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_tm8_one_activity_a_text_as_the_guide_says(org: Organization) -> None:
    [(member, name, phone)] = org.members(1)
    org.send(org.query([(member, name, phone)]), "Hello ${FullName}")
    [activity] = until(org.activities)
    [text] = org.texts()
    assert activity["party"] == member
    assert activity["description"] == text["to"] == phone
    assert activity["note"] == f"Hello {name}"
    assert activity["category"] == "Text Manager"


def test_tm8_the_communication_log_instead(org: Organization) -> None:
    [(member, name, phone)] = org.members(1)
    org.send(org.query([(member, name, phone)]), write_to="communication_log", log_subject="Dues")

    def held() -> list[dict[str, str]]:
        found: list[dict[str, str]] = ask("GET", f"{org.imis}/_sim/communications")[
            "communications"
        ]
        return found

    [recipient] = until(lambda: [each for each in held() if each.get("party") == member])
    [entry] = [each for each in held() if str(each["id"]) == recipient["communication"]]
    assert recipient["address"] == phone
    assert "Dues" in str(entry) and f"Hello {name}" in str(entry)
    assert org.activities() == []


def test_tm8_imis_2017_has_no_communication_log(system: System) -> None:
    org = system.organization(version="2017")
    campaign = org.campaign(org.query(org.members(1)), write_to="communication_log")
    refused = org.call("POST", f"campaigns/{campaign}/schedule", {"at": None})
    assert refused.status == 422 and "2017" in refused.text


def test_tm21_textunsub_is_written_at_the_next_text_and_deleted_at_a_start(
    org: Organization,
) -> None:
    people = org.members(2)
    path = org.query(people)
    org.send(path, "A")
    org.text_in(people[0][2], "Stop.")
    until(lambda: org.get("opt-outs")["items"])
    assert org.activities("TEXTUNSUB") == []
    for name in ("B", "C"):
        assert org.send(path, name)["by_reason"] == {"opted_out": 1}
    unsubscribed = until(
        lambda: len(org.activities("TEXTUNSUB")) == 2 and org.activities("TEXTUNSUB")
    )
    for each in unsubscribed:
        assert (each["party"], each["uf_1"]) == (people[0][0], people[0][2])
        assert each["category"] == "Text Manager"
    usage = org.get("usage", by="campaign")
    assert usage["total"]["charged"]["messages"] == 2 + 1 + 1
    org.text_in(people[0][2], "START")
    until(lambda: org.activities("TEXTUNSUB") == [])
    assert org.send(path, "D")["by_status"] == {"delivered": 2}


def test_tm21_twilio_s_own_word_counts_too(org: Organization) -> None:
    # The simulated Twilio has opted out who ends with these digits (21610).
    phone = "+12134020016"
    path = org.query([(str(org.first_id), "Gone", phone)])
    run = org.send(path, "A")
    assert run["by_status"] == {"failed": 1}
    until(lambda: len(org.activities("TEXTUNSUB")) == 1)
    assert org.send(path, "B")["by_reason"] == {"opted_out": 1}


def test_tm23_a_missing_activity_type_is_told_with_how_to_make_it(system: System) -> None:
    org = system.organization()
    campaign = org.campaign(org.query(org.members(1)))
    settings = f"{org.imis}/_sim/settings"
    kept = ask("GET", settings)["activity_types"]
    try:
        without = [each for each in kept if each != "TEXTMSG"]
        assert ask("POST", settings, {"activity_types": without}).status == 200
        refused = org.call("POST", f"campaigns/{campaign}/schedule", {"at": None})
    finally:
        ask("POST", settings, {"activity_types": kept})
    assert refused.status == 422
    assert "TEXTMSG" in refused.text and "Activity Types" in refused.text
    assert org.over(org.launch(campaign))["by_status"]["delivered"] == 1


def test_tm8_a_refused_activity_is_listed_and_tried_again_by_hand(org: Organization) -> None:
    [(member, name, phone)] = org.members(1)
    merged = ask("POST", f"{org.imis}/_sim/settings", {"merged_away": [member]})
    assert merged.status == 200, merged
    run = org.launch(org.campaign(org.query([(member, name, phone)])))
    org.over(run)
    [refused] = until(lambda: org.get(f"runs/{run}/activities", state="refused")["items"])
    assert refused["imis_id"] == member and refused["reason"]
    assert org.run(run)["by_status"] == {"delivered": 1}
    assert ask("POST", f"{org.imis}/_sim/settings", {"merged_away": []}).status == 200
    org.post(f"runs/{run}/activities/retry", {"message_id": refused["message_id"]})
    until(lambda: len(org.activities()) == 1)
