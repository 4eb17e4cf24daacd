"""Guessing at logins, and sessions that end: by time, by signing out, by iMIS."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.client import Client
from tests.gateway.fakes import MEMBERS
from tests.gateway.rig import AUDIENCE, CAMPAIGN, Rig, rigged

from chassis.secrets import SecretBox
from gateway.handlers.sessions import _origin_key
from imis_client import CredentialsRejected

LOGIN = {"username": "staff", "password": "right", "cloud_id": "DEMO"}
WRONG = LOGIN | {"password": "wrong"}


async def lock(rig: Rig, client: Client | None = None, login: dict[str, str] = WRONG) -> None:
    client = client or rig.anybody
    for _ in range(rig.gateway.own.login_attempts):
        assert (await client.post("/v1/sessions", login)).status == 401


async def test_during_the_lock_a_right_password_is_told_nothing_and_imis_isnt_asked(
    rig: Rig,
) -> None:
    await lock(rig)
    asked = len(rig.imis.asked)
    wrong, right = [await rig.anybody.post("/v1/sessions", each) for each in (WRONG, LOGIN)]
    assert (wrong.status, right.status) == (429, 429)
    assert (wrong.body, wrong.headers["retry-after"]) == (right.body, right.headers["retry-after"])
    assert len(rig.imis.asked) == asked


async def test_the_lock_is_one_logins_and_no_others(rig: Rig) -> None:
    rig.imis.passwords["other"] = "right"
    rig.imis.roles["other"] = frozenset({"Staff"})
    await rig.organization("OTHER")
    await lock(rig)
    assert (await rig.anybody.post("/v1/sessions", LOGIN | {"username": "other"})).status == 201
    assert (await rig.anybody.post("/v1/sessions", LOGIN | {"cloud_id": "OTHER"})).status == 201
    # From wherever it is tried, and however it is spelled.
    elsewhere = rig.anybody.at("192.0.2.7")
    for spelled in (LOGIN, LOGIN | {"username": " Staff"}, LOGIN | {"cloud_id": "demo "}):
        assert (await elsewhere.post("/v1/sessions", spelled)).status == 429


async def test_an_unknown_organisation_is_locked_like_a_known_one(rig: Rig) -> None:
    nobody = LOGIN | {"cloud_id": "NOBODY"}
    await lock(rig)
    await lock(rig, login=nobody)
    known, unknown = [await rig.anybody.post("/v1/sessions", each) for each in (LOGIN, nobody)]
    assert (known.status, known.body) == (unknown.status, unknown.body) == (429, known.body)


async def test_tm1_a_lock_survives_a_restart_and_ends_by_itself(tmp_path: Path) -> None:
    async with rigged(tmp_path) as rig:
        await rig.organization()
        await lock(rig)
        seconds = rig.gateway.own.login_window_seconds
    async with rigged(tmp_path) as rig:
        got = await rig.anybody.post("/v1/sessions", LOGIN)
        assert (got.status, int(got.headers["retry-after"]) > seconds - 2) == (429, True)
        rig.clock.forward(seconds=seconds)
        # Its settings were sealed under a key of the first process's own.
        await rig.organization()
        assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 201


async def test_tm1_a_session_survives_a_restart(tmp_path: Path) -> None:
    async with rigged(tmp_path) as rig:
        await rig.organization()
        token, key = (await rig.staff()).token, rig.settings.secret_key
    async with rigged(tmp_path) as rig:
        object.__setattr__(rig.gateway, "seal", SecretBox(key))
        staff = rig.anybody.signed_in(str(token))
        assert (await staff.get("/v1/campaigns")).status == 200
        # The rights at iMIS too, until it ends them.
        assert (await staff.get("/v1/iqas")).status == 200
        assert (await staff.delete("/v1/sessions/current")).status == 204
        assert (await staff.get("/v1/campaigns")).status == 401


async def test_tm1_after_imis_ended_the_session_signing_in_again_goes_on(
    rig: Rig, staff: Client
) -> None:
    rig.clock.forward(minutes=61)
    assert (await staff.get("/v1/iqas")).status == 401
    again = await rig.staff()
    assert (await again.get("/v1/iqas")).status == 200
    assert (await again.get("/v1/campaigns")).status == 200


async def test_tm1_one_address_can_not_try_many_logins(tmp_path: Path) -> None:
    async with rigged(tmp_path, address_attempts=6) as rig:
        await rig.organization()
        guesser, other = rig.anybody.at("192.0.2.7"), rig.anybody.at("192.0.2.8")
        for number in range(6):
            login = WRONG | {"username": f"user-{number}"}
            assert (await guesser.post("/v1/sessions", login)).status == 401
            # A good login of one's own doesn't make up for the guesses.
            if number < 5:
                assert (await guesser.post("/v1/sessions", LOGIN)).status == 201
        refused = await guesser.post("/v1/sessions", WRONG | {"username": "user-6"})
        assert (refused.status, "retry-after" in refused.headers) == (429, True)
        assert (await guesser.post("/v1/sessions", LOGIN)).status == 429
        assert (await other.post("/v1/sessions", LOGIN)).status == 201


def test_an_address_stands_for_whoever_has_it() -> None:
    assert _origin_key("2001:db8:1:2::1") == _origin_key("2001:db8:1:2:ffff::9")
    assert _origin_key("2001:db8:1:2::1") != _origin_key("2001:db8:1:3::1")
    assert _origin_key("::ffff:192.0.2.7") == _origin_key("192.0.2.7") != _origin_key("192.0.2.8")
    assert _origin_key("") == _origin_key("testclient")


async def test_tm1_neither_words_nor_time_tell_whether_the_organisation_exists(
    tmp_path: Path,
) -> None:
    async with rigged(tmp_path, refused_login_seconds=0.2) as rig:
        await rig.organization()
        for login in (WRONG, WRONG | {"username": "nobody"}, LOGIN | {"cloud_id": "NOBODY"}):
            began = time.monotonic()
            got = await rig.anybody.post("/v1/sessions", login)
            assert time.monotonic() - began >= 0.2
            assert got.status == 401
            assert got.json()["detail"] == "The username, the password or the Cloud ID is wrong."


@pytest.mark.parametrize("ended", ["by its time", "by signing out", "never there"])
async def test_tm1_a_session_that_is_over_says_at_once_what_to_do(
    rig: Rig, staff: Client, ended: str
) -> None:
    match ended:
        case "by its time":
            rig.clock.forward(hours=rig.gateway.own.session_hours)
        case "by signing out":
            assert (await staff.delete("/v1/sessions/current")).status == 204
        case _:
            staff = rig.anybody.signed_in("0" * 43)
    for method, path, body in (
        ("GET", "/v1/organization", None),
        ("POST", "/v1/campaigns", CAMPAIGN),
        ("DELETE", "/v1/sessions/current", None),
    ):
        got = await staff.request(method, path, json=body)
        assert (got.status, got.headers["www-authenticate"]) == (401, "Bearer")
        assert "Sign in" in got.json()["detail"]


async def test_tm1_when_imis_forgets_the_session_only_what_needs_imis_asks_to_sign_in(
    rig: Rig, staff: Client
) -> None:
    rig.clock.forward(minutes=59)
    assert (await staff.get("/v1/iqas")).status == 200
    rig.clock.forward(minutes=2)
    asked = len(rig.imis.asked)
    paths: list[tuple[str, str, Any]] = [
        ("GET", "/v1/iqas", None),
        ("GET", f"/v1/iqas/columns?path={MEMBERS}", None),
        ("POST", "/v1/campaigns", {"name": "New", "audience": AUDIENCE}),
    ]
    for method, path, body in paths:
        got = await staff.request(method, path, json=body)
        assert got.status == 401
        assert "Sign in again" in got.json()["detail"]
    # A token that is known to be over isn't even sent.
    assert len(rig.imis.asked) == asked
    for path in ("/v1/organization", "/v1/campaigns", "/v1/dashboard"):
        assert (await staff.get(path)).status == 200


async def test_tm1_a_token_that_imis_revokes_early_asks_to_sign_in_too(
    rig: Rig, staff: Client
) -> None:
    rig.imis.fails_with = CredentialsRejected("The token was refused.")
    got = await staff.get("/v1/iqas")
    assert (got.status, "Sign in again" in got.json()["detail"]) == (401, True)


async def test_the_limits_are_settings(tmp_path: Path) -> None:
    async with rigged(tmp_path, login_attempts=1, login_window_seconds=7.0) as rig:
        await rig.organization()
        await lock(rig)
        got = await rig.anybody.post("/v1/sessions", LOGIN)
        assert (got.status, got.headers["retry-after"]) == (429, "7")
        rig.clock.at += timedelta(seconds=7)
        assert (await rig.anybody.post("/v1/sessions", LOGIN)).status == 201
