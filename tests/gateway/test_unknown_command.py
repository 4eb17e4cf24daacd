"""`textmanager unknown`, as an operator types it, against the gateway over HTTP."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.gateway.rig import OPERATOR, Rig
from tests.gateway.test_operations import SID, decisions, doubt
from tests.gateway.test_schema import served

from gateway.domain.views import Unknown

WHO = ("--by", "Ann", "--reason", "Twilio's log says so.")


class Shell:
    """Runs the command line as a process of its own."""

    def __init__(self, url: str, folder: Path, token: str = OPERATOR) -> None:
        self._environment = {
            **os.environ,
            "TEXTMANAGER_GATEWAY_URL": url,
            "TEXTMANAGER_OPERATOR_TOKEN": token,
        }
        self._folder = folder

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "textmanager", "unknown", *arguments),
            env=self._environment,
            cwd=self._folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, complained = await process.communicate()
        return process.returncode or 0, told.decode(), complained.decode()

    async def slip(self, *arguments: str) -> str:
        """Return the one sentence that a slip is answered with."""
        code, told, complained = await self.run(*arguments)
        assert (code, told) == (1, "")
        assert len(complained.strip().splitlines()) == 1
        return complained


@pytest.fixture
async def shell(rig: Rig, tmp_path: Path) -> AsyncIterator[Shell]:
    async with served(rig) as url:
        yield Shell(url, tmp_path)


@pytest.fixture
def unknown(rig: Rig) -> Unknown:
    found = doubt()
    rig.models.doubts = [found]
    return found


async def test_unknown_messages_are_listed_without_anybodys_number(
    shell: Shell, unknown: Unknown
) -> None:
    code, told, _ = await shell.run("list")
    assert code == 0
    assert str(unknown.message_id) in told
    assert "1 unknown" in told
    assert unknown.to not in told
    code, told, _ = await shell.run("list", "--json", "--organization", "DEMO")
    assert [each["message_id"] for each in json.loads(told)["items"]] == [str(unknown.message_id)]
    code, told, _ = await shell.run("list", "--json", "--organization", "ELSE")
    assert json.loads(told) == {"items": [], "more": False}


@pytest.mark.parametrize(
    ("options", "resolution"),
    [
        (("--sent", SID), "sent"),
        (("--send-again",), "send_again"),
        (("--given-up",), "given_up"),
    ],
)
async def test_a_decision_is_told(
    rig: Rig, shell: Shell, unknown: Unknown, options: tuple[str, ...], resolution: str
) -> None:
    code, told, _ = await shell.run("resolve", str(unknown.message_id), *options, *WHO)
    assert (code, str(unknown.message_id) in told) == (0, True)
    [said] = await decisions(rig)
    assert (said.resolution, said.by, said.reason) == (resolution, "Ann", WHO[3])


async def test_a_slip_is_one_sentence_and_decides_nothing(
    rig: Rig, shell: Shell, unknown: Unknown, tmp_path: Path
) -> None:
    this = str(unknown.message_id)
    both = await shell.slip("resolve", this, "--given-up", "--send-again", *WHO)
    assert "Say one of" in both
    assert "Say one of" in await shell.slip("resolve", this, *WHO)
    assert "is a UUID" in await shell.slip("resolve", "garbage", "--given-up", *WHO)
    assert "sid" in await shell.slip("resolve", this, "--sent", "SM1", *WHO)
    assert "no such message" in await shell.slip("resolve", str(uuid4()), "--given-up", *WHO)
    rig.models.doubts = []
    rig.models.found[unknown.organization_id] = []
    assert await decisions(rig) == []


async def test_a_wrong_token_or_no_gateway_is_one_sentence(
    rig: Rig, unknown: Unknown, tmp_path: Path
) -> None:
    async with served(rig) as url:
        assert "not the operators' token" in await Shell(url, tmp_path, "guess").slip("list")
    away = Shell("http://127.0.0.1:1", tmp_path)
    assert "does not answer" in await away.slip("list")
    nowhere = Shell("", tmp_path)
    assert "No gateway runs on" in await nowhere.slip("list", "--state", str(tmp_path / "none"))
