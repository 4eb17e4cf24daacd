"""`textmanager organization`, as an operator types it, against the gateway over HTTP."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gateway.rig import NUMBER, OPERATOR, Rig
from tests.gateway.test_schema import served

from contracts.events.organization import OrganizationSettingsChanged
from gateway.adapters.staff import SqlOrganizations

ADD = (
    "add",
    "NEW",
    "--name",
    "New Association",
    "--imis-url",
    "https://imis.example.org",
    "--imis-username",
    "textmanager",
    "--twilio-account",
    "AC1",
)
SECRETS = {
    "TEXTMANAGER_IMIS_PASSWORD": "imis-secret",
    "TEXTMANAGER_TWILIO_AUTH_TOKEN": "twilio-secret",
}


class Shell:
    """Runs the command line as a process of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder

    async def run(
        self, *arguments: str, typed: str = "", secrets: dict[str, str] = SECRETS
    ) -> tuple[int, str]:
        """Return the exit code and all that was said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "textmanager", "organization", *arguments),
            env={
                **os.environ,
                "TEXTMANAGER_GATEWAY_URL": self._url,
                "TEXTMANAGER_OPERATOR_TOKEN": OPERATOR,
                **secrets,
            },
            cwd=self._folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate(typed.encode())
        assert b"secret" not in said
        return process.returncode or 0, said.decode()


@pytest.fixture
async def shell(rig: Rig, tmp_path: Path) -> AsyncIterator[Shell]:
    async with served(rig) as url:
        yield Shell(url, tmp_path)


async def newest(rig: Rig) -> OrganizationSettingsChanged:
    event = (await rig.published())[-1].event
    assert isinstance(event, OrganizationSettingsChanged)
    return event


def opened(rig: Rig, changed: OrganizationSettingsChanged) -> tuple[str, str]:
    settings = changed.settings
    sealed = (settings.imis.password_encrypted, settings.twilio.auth_token_encrypted)
    imis, twilio = (rig.gateway.seal.open(each).get_secret_value() for each in sealed)
    return imis, twilio


async def test_tm1_an_operator_adds_an_organisation_and_its_staff_sign_in(
    rig: Rig, shell: Shell
) -> None:
    more = ("--number", NUMBER, "--country", "Australia", "--time-zone", "Australia/Sydney")
    site = ("--staff-login", "staff", "--imis-version", "2017")
    code, said = await shell.run(*ADD, *more, *site, "--email", "office@example.org")
    assert (code, "sign in with the Cloud ID NEW" in said) == (0, True), said
    changed = await newest(rig)
    assert opened(rig, changed) == ("imis-secret", "twilio-secret")
    settings = changed.settings
    assert (settings.default_country, settings.default_email) == ("AU", "office@example.org")
    assert [each.number for each in settings.numbers] == [NUMBER]
    assert (settings.imis.version, settings.imis.staff_logins) == ("2017", ("staff",))
    assert (await (await rig.staff("NEW")).get("/v1/settings")).json()["cloud_id"] == "NEW"


async def test_secrets_may_come_by_standard_input(rig: Rig, shell: Shell) -> None:
    code, said = await shell.run(*ADD, typed="imis-other\ntwilio-other\n", secrets={})
    assert (code, "no number" in said) == (0, True), said
    assert opened(rig, await newest(rig)) == ("imis-other", "twilio-other")
    code, said = await shell.run(*ADD, "--replace", typed="one\n", secrets={})
    assert (code, "TEXTMANAGER_TWILIO_AUTH_TOKEN" in said) == (1, True)


async def test_one_that_is_there_is_not_overwritten_by_mistake(rig: Rig, shell: Shell) -> None:
    again = ("add", "demo", *ADD[2:])
    count = len(await rig.published())
    code, said = await shell.run(*again)
    assert (code, "--replace" in said, len(said.strip().splitlines())) == (1, True, 1)
    assert len(await rig.published()) == count
    assert (await shell.run(*again, "--replace"))[0] == 0
    assert (await newest(rig)).settings.name == "New Association"


async def test_one_that_the_list_is_too_short_for_is_not_overwritten_either(
    rig: Rig, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object, **__: object) -> list[OrganizationSettingsChanged]:
        return []

    monkeypatch.setattr(SqlOrganizations, "every", nobody)
    count = len(await rig.published())
    code, said = await shell.run("add", "demo", *ADD[2:])
    assert (code, "--replace" in said) == (1, True), said
    assert len(await rig.published()) == count


async def test_what_the_gateway_refuses_is_one_sentence(shell: Shell) -> None:
    code, said = await shell.run(*ADD, "--country", "Atlantis")
    assert (code, "default_country" in said, len(said.strip().splitlines())) == (1, True, 1)


@pytest.mark.parametrize("cloud_id", ["", "  ", "A/B"])
async def test_a_cloud_id_that_none_can_be_is_told_as_such(shell: Shell, cloud_id: str) -> None:
    code, said = await shell.run("add", cloud_id, *ADD[2:])
    assert (code, "Cloud ID" in said, len(said.strip().splitlines())) == (1, True, 1)


async def test_the_organisations_are_listed(rig: Rig, shell: Shell) -> None:
    await rig.organization("OTHER")
    code, said = await shell.run("list")
    assert code == 0
    assert said.splitlines()[-1] == "2 organisations."
    assert NUMBER in said
    code, said = await shell.run("list", "--json")
    assert {each["cloud_id"] for each in json.loads(said)["items"]} == {"DEMO", "OTHER"}
