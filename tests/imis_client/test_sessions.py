import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from tests.imis_client.sites import Site

from imis_client import CredentialsRejected, ImisClient, TryAgain, login
from simulators.imis import catalogue

SECRET = "hunter2-hunter2"


async def test_many_requests_share_one_login(site: Site) -> None:
    await asyncio.gather(*(site.client.activity_type_exists("TEXTMSG") for _ in range(50)))
    assert site.logins == 1


async def test_a_token_is_renewed_before_its_end(ems: Site) -> None:
    moment = datetime.now(UTC)

    def now() -> datetime:
        return moment

    async with ImisClient(ems.url, "staff", SecretStr("staff-pass"), now=now) as client:
        await client.activity_type_exists("TEXTMSG")
        moment += timedelta(seconds=1160)
        await client.activity_type_exists("TEXTMSG")
        assert ems.logins == 1
        moment += timedelta(seconds=20)
        await client.activity_type_exists("TEXTMSG")
        assert ems.logins == 2


async def test_a_refused_token_is_renewed_once_for_all(site: Site) -> None:
    await site.client.check_login()
    site.simulator.logins.revoke_all()
    await asyncio.gather(*(site.client.activity_type_exists("TEXTMSG") for _ in range(20)))
    assert site.logins == 2


async def test_a_session_that_ends_between_pages_is_renewed(site: Site) -> None:
    site.simulator.faults.add("expire_mid_paging", times=1)
    first = await site.client.rows(catalogue.MEMBERS, offset=0)
    second = await site.client.rows(catalogue.MEMBERS, offset=first.next_offset)
    assert len(second.rows) == 500
    assert site.logins == 2


async def test_a_new_token_refused_again_is_not_tried_for_ever(site: Site) -> None:
    site.simulator.faults.add("401_live_token")
    with pytest.raises(TryAgain):
        await site.client.activity_type_exists("TEXTMSG")
    assert site.logins == 2


async def test_x20_a_refused_password_is_tried_once_by_a_client(ems: Site) -> None:
    async with ImisClient(ems.url, "textmanager", SecretStr(SECRET)) as client:
        results = await asyncio.gather(
            *(client.activity_type_exists("TEXTMSG") for _ in range(9)), return_exceptions=True
        )
        assert {type(result) for result in results} == {CredentialsRejected}
        assert ems.simulator.logins.bad == 1
        with pytest.raises(CredentialsRejected):
            await client.check_login()
        assert ems.simulator.logins.bad == 1
        # Not even when it would be taken now: somebody has to say so, by making another client.
        ems.simulator.settings.users["textmanager"] = SECRET
        with pytest.raises(CredentialsRejected):
            await client.check_login()
        assert ems.simulator.logins.bad == 1
    async with ImisClient(ems.url, "textmanager", SecretStr(SECRET)) as better:
        assert await better.activity_type_exists("TEXTMSG")


async def test_a_login_that_fails_for_now_is_tried_again(ems: Site) -> None:
    ems.simulator.faults.add("429", times=1, params={"retry_after": 7})
    with pytest.raises(TryAgain) as failure:
        await ems.client.check_login()
    assert failure.value.retry_after == 7
    await ems.client.check_login()


async def test_one_who_gives_up_does_not_take_the_login_from_the_others(ems: Site) -> None:
    ems.simulator.settings.latency_seconds = 0.05
    tasks = [asyncio.ensure_future(ems.client.check_login()) for _ in range(3)]
    while ems.simulator.in_flight == 0:
        await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.gather(*tasks[1:])
    assert ems.logins == 1


async def test_staff_sign_in_and_work_in_their_own_session(site: Site) -> None:
    token = await login(site.url, "staff", SecretStr("staff-pass"))
    assert token.user_name == "staff"
    assert token.expires_at > datetime.now(UTC)
    async with ImisClient.from_token(site.url, token, site.client.version) as client:
        assert (await client.browse("$/")).entries
        site.simulator.logins.revoke_all()
        with pytest.raises(CredentialsRejected):
            await client.browse("$/")
    assert site.logins == 1


async def test_an_ended_staff_session_is_not_even_sent(ems: Site) -> None:
    token = await login(ems.url, "staff", SecretStr("staff-pass"))
    late = token.expires_at + timedelta(seconds=1)
    async with ImisClient.from_token(ems.url, token, now=lambda: late) as client:
        with pytest.raises(CredentialsRejected):
            await client.browse("$/")


async def test_wrong_sign_in(site: Site) -> None:
    with pytest.raises(CredentialsRejected) as refusal:
        await login(site.url, "staff", SecretStr(SECRET))
    assert "incorrect" in refusal.value.detail
    assert SECRET not in repr(refusal.value) + str(refusal.value.__context__)


async def test_secrets_are_in_no_repr(ems: Site) -> None:
    token = await login(ems.url, "staff", SecretStr("staff-pass"))
    secret = token.access_token.get_secret_value()
    client = ImisClient.from_token(ems.url, token)
    async with client, ImisClient(ems.url, "staff", SecretStr(SECRET)) as other:
        shown = repr([token, client, other])
    assert secret not in shown
    assert SECRET not in shown
