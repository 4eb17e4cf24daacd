"""TM-5, TM-17, TM-18, X-2, X-11: who gets a text, and why not."""

import pytest
from tests.e2e.features.organization import FOLDER, Organization
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_tm5_a_query_is_found_by_browsing_and_its_columns_are_told(org: Organization) -> None:
    path = org.query(org.members(1), path=f"{FOLDER}/Picked {org.cloud_id}")
    listed = org.get("iqas", path=FOLDER)["entries"]
    assert path in {each["path"] for each in listed}
    told = org.get("iqas/columns", path=path)
    assert [each["alias"] for each in told["columns"]] == ["iMIS Id", "FullName", "Mobile Phone"]


def test_tm5_a_query_without_aliases_is_refused_with_how_to_mend_it(org: Organization) -> None:
    path = org.query(org.members(1), aliases=False)
    audience = {"iqa_path": path, "phone_column": "Mobile Phone", "id_column": "iMIS Id"}
    refused = org.call("POST", "campaigns", {"name": "x", "audience": audience})
    assert refused.status == 422
    assert "alias" in refused.text.lower()


def test_tm5_imis_2017_is_read_too(system: System) -> None:
    org = system.organization(version="2017")
    run = org.send(org.query(org.members(3)))
    assert run["by_status"]["delivered"] == 3
    assert len(org.activities()) == 3


def test_tm5_a_prompt_without_a_value_is_named(org: Organization) -> None:
    path = org.query(org.members(2), prompt="City")
    campaign = org.campaign(path)
    refused = org.call("POST", f"campaigns/{campaign}/schedule", {"at": None})
    assert refused.status == 422
    assert "City" in refused.text
    org.patch(f"campaigns/{campaign}", {"audience": {"answers": {"City": "Austin"}}})
    assert org.over(org.launch(campaign))["by_status"]["delivered"] == 2


def test_tm17_numbers_are_dialled_from_the_default_country(system: System) -> None:
    org = system.organization(default_country="Australia")
    first = org.first_id
    rows = [
        (str(first), "A", "0412 345 678"),
        (str(first + 1), "B", "+44 20 7234 3456"),
        (str(first + 2), "C", "0011 44 20 7234 3457"),
    ]
    org.send(org.query(rows), "Hello")
    assert [each["to"] for each in sorted(org.texts(), key=lambda each: each["to"])] == [
        "+442072343456",
        "+442072343457",
        "+61412345678",
    ]


def test_tm18_an_invalid_number_is_an_error_and_never_sent(org: Organization) -> None:
    [member] = org.members(1)
    run = org.send(org.query([member, ("9", "Bad", "12345"), ("8", "Worse", "555-CALL")]))
    assert run["by_status"] == {"delivered": 1, "error": 2}
    assert len(org.texts()) == 1


def test_tm18_landlines_are_left_out_if_the_organisation_says_so(system: System) -> None:
    org = system.organization(leave_out_landlines=True)
    [member] = org.members(1)
    run = org.send(org.query([member, ("9", "Fixed", "+44 20 7234 3456")]))
    assert run["by_reason"] == {"landline": 1}


def test_x2_shared_phones_and_double_phones(org: Organization) -> None:
    (ann, _, phone), (bea, _, other) = org.members(2)
    rows = [(ann, "Ann", phone), (bea, "Bea", phone), (ann, "Ann", other)]
    run = org.send(org.query(rows))
    assert len(org.texts()) == run["messages"] == 3
    again = org.send(org.query(rows), one_text_per_phone=True)
    assert again["by_reason"] == {"shared_phone": 1}
    [left_out] = org.get(f"runs/{again['run_id']}/messages", status="excluded")["items"]
    assert (left_out["imis_id"], left_out["same_as_imis_id"]) == (bea, ann)


def test_x2_every_row_is_accounted_for(org: Organization) -> None:
    rows = [*org.members(3), ("", "Nobody", "+12132001999"), ("7", "None", "")]
    run = org.send(org.query(rows))
    assert sum(run["by_status"].values()) == run["rows"] == 5
    assert run["by_reason"] == {"no_member_id": 1, "no_number": 1}


def test_x11_a_csv_list_is_an_audience(org: Organization) -> None:
    people = org.members(3)
    lines = ["iMIS Id,FullName,Mobile Phone", *(",".join(each) for each in people), "only,two"]
    uploaded = org.post("uploads?name=list.csv", "\n".join(lines), content="text/csv")
    assert (uploaded["rows"], uploaded["columns"]) == (3, ["iMIS Id", "FullName", "Mobile Phone"])
    assert [each["line"] for each in uploaded["rejected"]] == [5]
    run = org.send({"upload_id": uploaded["upload_id"]}, "Hello ${FullName}")
    assert run["by_status"]["delivered"] == 3
    assert {each["body"] for each in org.texts()} == {f"Hello {name}" for _, name, _ in people}
