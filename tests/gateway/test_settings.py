"""What staff set themselves, and what they never see again."""

from typing import Any

import pytest
from pydantic import SecretStr
from tests.gateway.client import Client
from tests.gateway.rig import NUMBER, ORGANIZATION, Rig

from contracts.events.organization import OrganizationSettings, OrganizationSettingsChanged
from gateway.domain.regions import all_countries
from gateway.routes.organization_shapes import SettingsFields
from gateway.routes.settings import SettingsPatch
from readmodels.views import RowStatus
from twilio_client.codes import CODES
from twilio_client.explained import advice, meaning


async def newest(rig: Rig) -> OrganizationSettingsChanged:
    found = (await rig.published())[-1].event
    assert isinstance(found, OrganizationSettingsChanged)
    return found


async def test_tm16_staff_change_one_thing_and_the_rest_stays(rig: Rig, staff: Client) -> None:
    before = (await newest(rig)).settings
    got = await staff.patch("/v1/settings", {"default_email": "office@example.org"})
    assert (got.status, got.json()["default_email"]) == (200, "office@example.org")
    after = await newest(rig)
    assert after.sequence == 2
    assert after.settings == before.model_copy(update={"default_email": "office@example.org"})
    assert (await staff.get("/v1/settings")).headers["etag"] == got.headers["etag"] == '"2"'
    # Null goes back to the default, and what changes nothing is not announced.
    assert (await staff.patch("/v1/settings", {"default_email": None})).status == 200
    count = len(await rig.published())
    assert (await staff.patch("/v1/settings", {"default_email": None})).status == 200
    assert (await staff.patch("/v1/settings", {})).status == 200
    assert len(await rig.published()) == count


EVERYTHING: dict[str, Any] = {
    "name": "New name",
    "default_email": "office@example.org",
    "default_country": "Australia",
    "time_zone": "Australia/Sydney",
    "locale": "en-AU",
    "segments_per_run": 50_000,
    "segments_per_day": 4_000,
    "over_day_limit": "leave_out",
    "opt_out_of": "organization",
    "write_test_runs": True,
    "write_when": "delivered",
    "write_unsubscribed_at": "stop",
    "leave_out_landlines": True,
    "recipients_zone": "Australia/Perth",
    "archive_after_days": 30,
    "spike_errors": 10,
    "spike_window": 50,
    "shrink_percent": 80,
    "prices": {"currency": "AUD", "segment": "0.0515", "failed_message": "0.001"},
    "numbers": [
        {
            "number": NUMBER,
            "segments_per_second": 1.5,
            "verification": "pending",
            "replies": "us",
            "segments_per_day": 0,
        }
    ],
}


async def test_tm19_everything_that_an_organisation_can_set_can_be_set(
    rig: Rig, staff: Client
) -> None:
    untouched = {"cloud_id", "imis", "twilio", "stopped"}
    assert set(OrganizationSettings.model_fields) - untouched == set(EVERYTHING)
    assert set(SettingsPatch.model_fields) == set(SettingsFields.model_fields) == set(EVERYTHING)
    got = await staff.patch("/v1/settings", EVERYTHING)
    assert got.status == 200, got.body
    kept = (await newest(rig)).settings.model_dump(mode="json", exclude=untouched)
    shown = {key: got.json()[key] for key in EVERYTHING}
    assert kept == shown == EVERYTHING | {"default_country": "AU"}
    assert got.json()["default_country_name"] == "Australia (+61)"
    # An operator can set the same.
    put = await rig.operator.put("/v1/organizations/DEMO", ORGANIZATION | EVERYTHING)
    assert {key: put.json()[key] for key in EVERYTHING} == shown


@pytest.mark.parametrize(
    ("given", "region"),
    [
        ("United States", "US"),
        ("united kingdom", "GB"),
        ("United States (+1)", "US"),
        ("+61", "AU"),
        ("de", "DE"),
    ],
)
async def test_tm17_the_default_country_is_known_by_name_region_or_prefix(
    staff: Client, given: str, region: str
) -> None:
    got = await staff.patch("/v1/settings", {"default_country": given})
    assert got.json()["default_country"] == region


async def test_tm17_the_countries_are_listed_by_name(staff: Client, rig: Rig) -> None:
    items = (await staff.get("/v1/countries")).json()["items"]
    assert {"region": "US", "prefix": "+1", "name": "United States"} in items
    assert [each["name"] for each in items] == sorted(each["name"] for each in items)
    assert len(items) == len(all_countries()) > 200
    assert (await rig.anybody.get("/v1/countries")).status == 401


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"default_country": "Atlantis"}, "default_country"),
        ({"locale": "xx-YY"}, "locale"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"recipients_zone": "x"}, "recipients_zone"),
        ({"segments_per_day": 0}, "segments_per_day"),
        ({"shrink_percent": 101}, "shrink_percent"),
        ({"spike_errors": 101}, "spike_window"),
        ({"spike_errors": 20, "spike_window": 19}, "spike_window"),
        ({"prices": {"segment": -1}}, "prices.segment"),
        ({"prices": {"segment": "NaN"}}, "prices.segment"),
        ({"prices": {"segment": True}}, "prices.segment"),
        ({"prices": {"currency": "XYZ1"}}, "prices.currency"),
        ({"numbers": [{"number": NUMBER}, {"number": NUMBER}]}, "numbers"),
        ({"numbers": [{"number": "123"}]}, "numbers.0.number"),
        ({"name": None}, "name"),
        ({"stopped": None}, "stopped"),
        ({"cloud_id": "OTHER"}, "cloud_id"),
        ({"imis": ORGANIZATION["imis"]}, "imis"),
    ],
)
async def test_tm19_what_is_wrong_is_named_and_changes_nothing(
    rig: Rig, staff: Client, change: dict[str, Any], field: str
) -> None:
    got = await staff.patch("/v1/settings", {"segments_per_run": 7} | change)
    assert got.status == 422
    assert field in {each["field"] for each in got.json()["errors"]}
    assert len(await rig.published()) == 1


async def test_tm19_an_edit_of_an_older_version_is_refused(rig: Rig, staff: Client) -> None:
    seen = (await staff.get("/v1/settings")).headers["etag"]
    guarded = {"if-match": seen}
    assert (await staff.patch("/v1/settings", {"name": "A"}, headers=guarded)).status == 200
    late = await staff.patch("/v1/settings", {"name": "B"}, headers=guarded)
    assert late.status == 412
    for path, fields in (
        ("/v1/settings/imis", ORGANIZATION["imis"]),
        ("/v1/settings/twilio", ORGANIZATION["twilio"]),
    ):
        assert (await staff.put(path, fields, headers=guarded)).status == 412


async def test_tm1_saving_the_same_password_anew_lets_what_waits_for_it_go_on(
    rig: Rig, staff: Client
) -> None:
    for path, kept in (("imis", "imis"), ("twilio", "twilio")):
        before = await newest(rig)
        got = await staff.put(f"/v1/settings/{path}", ORGANIZATION[kept])
        assert got.status == 200
        after = await newest(rig)
        assert after.sequence == before.sequence + 1
        for secret in (b"imis-secret", b"twilio-secret", b"encrypted"):
            assert secret not in got.body
    opened = rig.gateway.seal.open((await newest(rig)).settings.imis.password_encrypted)
    assert opened == SecretStr("imis-secret")


async def test_x6_a_stop_survives_every_other_change(rig: Rig, staff: Client) -> None:
    assert (await staff.post("/v1/stop", {"reason": "Wrong list"})).status in {200, 202}
    stopped = (await newest(rig)).settings.stopped
    assert stopped is not None
    await staff.patch("/v1/settings", {"name": "Other"})
    assert (await newest(rig)).settings.stopped == stopped
    await staff.put("/v1/settings/imis", ORGANIZATION["imis"])
    assert (await newest(rig)).settings.stopped == stopped
    await rig.operator.put("/v1/organizations/DEMO", ORGANIZATION | {"name": "Third"})
    after = await newest(rig)
    assert (after.settings.name, after.settings.stopped) == ("Third", stopped)
    shown = (await staff.get("/v1/settings")).json()["stopped"]
    assert (shown["reason"], shown["by"]) == ("Wrong list", "staff")


async def test_tm14_each_status_has_its_meaning_and_a_link(rig: Rig, staff: Client) -> None:
    items = (await staff.get("/v1/statuses")).json()["items"]
    assert [each["status"] for each in items] == [
        "preparing",
        "held",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "error",
        "simulated",
        "unknown",
        "excluded",
    ]
    assert {each["status"] for each in items} == set(RowStatus)
    assert all(each["meaning"] and each["label"] for each in items)
    assert {each["link"] for each in items} == {"docs/outcomes.md#statuses"}
    moved = rig.gateway.own.model_copy(update={"docs_url": "https://docs.example.org/tm/"})
    object.__setattr__(rig.gateway, "own", moved)
    link = (await staff.get("/v1/statuses")).json()["items"][0]["link"]
    assert link == "https://docs.example.org/tm/outcomes.md#statuses"


def test_tm12_every_code_that_a_text_meets_has_its_meaning_and_an_advice() -> None:
    for code in CODES:
        assert "https" not in (meaning(code) or "https"), code
        assert "https" not in (advice(code) or "https"), code
    assert (meaning(None), advice(None)) == (None, None)
    assert str(12345) in (meaning(12345) or "")
    assert str(12345) in (advice(12345) or "")


async def test_operators_list_the_organisations(rig: Rig, staff: Client) -> None:
    await rig.organization("OTHER")
    shown = (await rig.operator.get("/v1/operations/organizations")).json()
    assert {each["cloud_id"] for each in shown["items"]} == {"DEMO", "OTHER"}
    assert shown["more"] is False
    shown = (await rig.operator.get("/v1/operations/organizations?limit=1")).json()
    assert (len(shown["items"]), shown["more"]) == (1, True)
    assert (await staff.get("/v1/operations/organizations")).status == 403
