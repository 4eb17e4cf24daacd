"""Signing in: who may, who must wait, and what is kept."""

from typing import Any

import pytest
from sqlalchemy import select
from tests.gateway.client import Client
from tests.gateway.rig import OPERATOR, ORGANIZATION, Rig, rigged

from contracts.events.organization import OrganizationSettingsChanged
from gateway.adapters.tables import METADATA, SESSIONS
from imis_client import BadRequest, TryAgain

LOGIN = {"username": "staff", "password": "right", "cloud_id": "DEMO"}


async def test_an_organisation_is_published_with_sealed_secrets_and_shown_without(rig: Rig) -> None:
    shown = (await rig.operator.put("/v1/organizations/DEMO", ORGANIZATION)).body
    (envelope,) = await rig.published()
    assert isinstance(envelope.event, OrganizationSettingsChanged)
    settings = envelope.event.settings
    assert rig.gateway.seal.open(settings.imis.password_encrypted).get_secret_value() == (
        "imis-secret"
    )
    for secret in (b"imis-secret", b"twilio-secret", b"encrypted"):
        assert secret not in shown
    assert "imis-secret" not in envelope.event.model_dump_json()


async def test_the_same_settings_again_announce_nothing_and_others_the_next_sequence(
    rig: Rig,
) -> None:
    same = await rig.operator.put("/v1/organizations/demo", ORGANIZATION | {"name": "Demo"})
    assert same.status == 200
    again = await rig.operator.put("/v1/organizations/demo", ORGANIZATION | {"name": "Demo"})
    assert again.json()["name"] == "Demo"
    assert [each.event.sequence for each in await rig.published()] == [1, 2]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"numbers": [{"number": "202-555-0143"}]}, "numbers.0.number"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"default_country": "ZZ"}, "default_country"),
        ({"imis": ORGANIZATION["imis"] | {"url": "ftp://imis"}}, "imis.url"),
        ({"imis": ORGANIZATION["imis"] | {"url": "http://["}}, "imis.url"),
        ({"imis": ORGANIZATION["imis"] | {"version": "2012"}}, "imis.version"),
        ({"twilio": {"account_sid": "AC1"}}, "twilio.auth_token"),
        ({"segments_per_day": 0}, "segments_per_day"),
        ({"name": " "}, "name"),
        ({"nmae": "x"}, "nmae"),
        ({"numbers": [{"number": "+18885550123"}] * 2}, "numbers"),
    ],
)
async def test_wrong_settings_are_named(rig: Rig, change: dict[str, Any], field: str) -> None:
    got = await rig.operator.put("/v1/organizations/DEMO", ORGANIZATION | change)
    assert got.status == 422
    assert got.headers["content-type"] == "application/problem+json"
    assert field in {each["field"] for each in got.json()["errors"]}
    assert b"secret" not in got.body


async def test_a_country_may_be_given_by_its_prefix(rig: Rig) -> None:
    for given, region in (("+44", "GB"), ("+1", "US"), ("de", "DE"), ("+32", "BE")):
        got = await rig.operator.put(
            "/v1/organizations/DEMO", ORGANIZATION | {"default_country": given}
        )
        assert got.json()["default_country"] == region


async def test_only_operators_write_organisations(rig: Rig, staff: Client) -> None:
    path = "/v1/organizations/NEW"
    nobody = await rig.anybody.put(path, ORGANIZATION)
    assert (nobody.status, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (await staff.put(path, ORGANIZATION)).status == 403
    assert (await rig.operator.put(path, ORGANIZATION)).status == 201


async def test_without_an_operator_token_nobody_does(tmp_path: Any) -> None:
    async with rigged(tmp_path, operator_token=None) as rig:
        assert (await rig.operator.put("/v1/organizations/DEMO", ORGANIZATION)).status == 403
        assert (await rig.anybody.put("/v1/organizations/DEMO", ORGANIZATION)).status == 403


def test_the_operator_token_has_a_name_that_every_process_shares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gateway.settings import GatewaySettings

    monkeypatch.setenv("TEXTMANAGER_OPERATOR_TOKEN", OPERATOR)
    assert GatewaySettings().operator_token is not None
    monkeypatch.setenv("TEXTMANAGER_GATEWAY_SESSION_HOURS", "2")
    assert GatewaySettings().session_hours == 2


async def test_tm1_a_session_keeps_neither_the_token_nor_the_password(rig: Rig) -> None:
    got = await rig.anybody.post("/v1/sessions", LOGIN)
    assert got.status == 201
    answer = got.json()
    assert answer["user"] == "staff"
    assert answer["organization"]["name"] == "Demo Association"
    async with rig.store.read() as connection:
        row = (await connection.execute(select(SESSIONS))).mappings().one()
    kept = repr(dict(row))
    for secret in (answer["token"], "right", "imis-token-of-staff"):
        assert secret not in kept


async def test_tm1_an_unknown_cloud_id_is_refused_like_a_wrong_password(rig: Rig) -> None:
    wrong = await rig.anybody.post("/v1/sessions", LOGIN | {"password": "wrong"})
    unknown = await rig.anybody.post("/v1/sessions", LOGIN | {"cloud_id": "NOBODY"})
    assert wrong.status == unknown.status == 401
    assert wrong.body == unknown.body


async def test_tm1_a_member_of_the_public_is_no_staff(rig: Rig) -> None:
    got = await rig.anybody.post("/v1/sessions", LOGIN | {"username": "member"})
    assert got.status == 403


async def test_tm1_a_2017_site_needs_a_list_of_who_is_staff(rig: Rig) -> None:
    old = ORGANIZATION["imis"] | {"version": "2017"}
    body = ORGANIZATION | {"imis": old}
    refused = await rig.operator.put("/v1/organizations/DEMO", body)
    assert refused.status == 422
    (error,) = refused.json()["errors"]
    assert (error["field"], "sign in" in error["detail"]) == ("imis.staff_logins", True)


@pytest.mark.parametrize("version", ["2017", "ems"])
async def test_tm1_where_a_site_tells_no_roles_a_list_says_who_is_staff(
    rig: Rig, version: str
) -> None:
    rig.imis.roles = {"member": None, "staff": None}
    unlisted = await rig.anybody.post("/v1/sessions", LOGIN)
    assert (unlisted.status, "staff_logins" in unlisted.json()["detail"]) == (403, True)
    imis = ORGANIZATION["imis"] | {"version": version, "staff_logins": ["Staff", "ann"]}
    await rig.organization(imis=imis)
    rig.imis.roles = {"member": None, "staff": None}
    assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 201
    member = LOGIN | {"username": "member"}
    assert (await rig.anybody.post("/v1/sessions", member)).status == 403
    # Where roles are told, they alone decide.
    rig.imis.roles = {"member": frozenset({"Staff"}), "staff": frozenset({"Public"})}
    assert (await rig.anybody.post("/v1/sessions", member)).status == 201
    assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 403


@pytest.mark.parametrize(
    ("error", "status"), [(TryAgain("away"), 503), (BadRequest("what is this"), 502)]
)
async def test_an_imis_that_fails_is_said_to_and_counts_as_no_attempt(
    rig: Rig, error: Any, status: int
) -> None:
    rig.imis.fails_with = error
    for _ in range(7):
        got = await rig.anybody.post("/v1/sessions", LOGIN)
        assert got.status == status
        assert "iMIS" in got.json()["detail"]
    rig.imis.fails_with = None
    assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 201


async def test_tm1_the_sixth_failure_has_to_wait(rig: Rig) -> None:
    wrong = LOGIN | {"password": "wrong"}
    for _ in range(5):
        assert (await rig.anybody.post("/v1/sessions", wrong)).status == 401
        rig.clock.forward(seconds=10)
    asked = len(rig.imis.asked)
    late = await rig.anybody.post("/v1/sessions", LOGIN | {"username": " STAFF "})
    assert late.status == 429
    assert 250 <= int(late.headers["retry-after"]) <= 252
    assert len(rig.imis.asked) == asked
    other = await rig.anybody.post("/v1/sessions", LOGIN | {"username": "member"})
    assert other.status == 403
    rig.clock.forward(seconds=251)
    assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 201


async def test_successes_are_not_limited(rig: Rig) -> None:
    for _ in range(8):
        assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 201


async def test_tm1_a_session_ends_by_itself_and_at_once_when_signed_out(
    rig: Rig, staff: Client
) -> None:
    other = await rig.staff()
    assert (await other.delete("/v1/sessions/current")).status == 204
    gone = await other.get("/v1/organization")
    assert (gone.status, gone.headers["www-authenticate"]) == (401, "Bearer")
    assert (await staff.get("/v1/organization")).status == 200
    rig.clock.forward(hours=8)
    assert (await staff.get("/v1/organization")).status == 401


async def test_staff_see_their_own_organisation_without_its_secrets(
    staff: Client, stranger: Client
) -> None:
    mine = await staff.get("/v1/organization")
    assert mine.json()["cloud_id"] == "DEMO"
    assert (await stranger.get("/v1/organization")).json()["cloud_id"] == "OTHER"
    assert b"secret" not in mine.body
    assert b"password" not in mine.body


def test_no_column_is_made_for_a_password() -> None:
    names = {column.name for table in METADATA.tables.values() for column in table.c}
    assert not any("password" in name for name in names)
