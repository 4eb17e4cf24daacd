"""The whole system as a newcomer runs it: one command, ten services, real engines."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from tests.databases import DATABASE

pytestmark = pytest.mark.e2e


async def textmanager(*arguments: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "textmanager", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.timeout(120)
async def test_the_demo_s_witnesses_agree_recipient_by_recipient(tmp_path: Path) -> None:
    code, out, err = await textmanager(
        *("demo", "--recipients", "300", "--rate", "200", "--json"),
        *("--state", str(tmp_path / "state"), "--database", DATABASE),
    )
    assert code == 0, err
    said = json.loads(out.splitlines()[-1])
    assert said["recipients_returned"] == 300
    assert said["messages"] + sum(said["excluded"].values()) == 300
    assert set(said["excluded"]) == {"invalid_number", "no_number", "opted_out", "repeated_row"}
    assert said["excluded"]["opted_out"] == 1
    assert said["accepted"] == said["messages"] == said["activities_written"]
    assert said["delivered"] + said["undelivered"] + said["failed"] == said["accepted"]
    assert (said["lost"], said["sent_twice"], said["activities_twice"]) == (0, 0, 0)
    assert said["segments"] > said["messages"], "some texts are longer than one segment"
    events = said["events"]
    # Beside it runs a daily campaign; and one member opts out in the middle.
    assert events["campaign.due.v1"] == events["run.completed.v1"] == 2
    assert events["campaign.paused.v1"] == events["campaign.resumed.v1"] == 1
    assert events["consent.changed.v1"] == 1
    assert events["message.submitted.v1"] > said["messages"]
    assert 0 < said["rate_used"] <= 1.2
    assert 0 < said["seconds_to_first_accepted"] < said["seconds"]


async def test_the_demo_needs_a_fresh_state(tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    code, out, err = await textmanager("demo", "--state", str(tmp_path))
    assert (code, out) == (1, "")
    assert "not empty" in err
    assert "Traceback" not in err
