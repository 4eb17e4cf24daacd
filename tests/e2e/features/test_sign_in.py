"""TM-1, TM-16: staff sign in by iMIS, and set what can be set."""

import pytest
from tests.e2e.features.organization import Organization, ask
from tests.e2e.features.system import System

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def test_tm1_staff_sign_in_and_out(org: Organization) -> None:
    assert org.get("settings")["cloud_id"] == org.cloud_id
    assert org.call("DELETE", "sessions/current").status == 204
    assert org.call("GET", "settings").status == 401


def test_tm1_an_unknown_cloud_id_looks_like_a_bad_password(org: Organization) -> None:
    url = f"{org.at.gateway}/v1/sessions"
    login = {"username": "staff", "password": "wrong", "cloud_id": org.cloud_id}
    wrong = ask("POST", url, login)
    unknown = ask("POST", url, {**login, "cloud_id": "nobody-has-this"})
    assert wrong.status == unknown.status == 401
    assert wrong["detail"] == unknown["detail"]


def test_tm16_settings_are_changed_and_secrets_never_shown(system: System) -> None:
    org = system.organization()
    changed = org.patch(
        "settings",
        {
            "default_email": "desk@example.org",
            "default_country": "United Kingdom",
            "time_zone": "Europe/London",
            "locale": "en-GB",
            "prices": {"currency": "GBP", "segment": "0.04"},
        },
    )
    assert changed["default_country"] == "GB"
    shown = org.call("GET", "settings")
    assert org.founding["imis"]["password"] not in shown.text
    assert org.founding["twilio"]["auth_token"] not in shown.text
    assert org.get("settings")["prices"]["segment"] == "0.04"
    for wrong in ({"time_zone": "Mars/Olympus"}, {"segments_per_day": 0}, {"locale": "xx-YY"}):
        refused = org.call("PATCH", "settings", wrong)
        assert refused.status == 422
        assert {each["field"] for each in refused["errors"]} == wrong.keys()
    countries = org.get("countries")["items"]
    assert {"region": "US", "name": "United States", "prefix": "+1"} in countries
