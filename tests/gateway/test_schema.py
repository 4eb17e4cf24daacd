"""The described API under schemathesis, with all of its checks, over HTTP.

Whatever the description allows, forbids or leaves out is sent: no answer may be a failure of ours,
or one that the description doesn't have. What is sent is drawn the same way each time.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.gateway.client import Client
from tests.gateway.rig import CAMPAIGN, OPERATOR, Rig, rigged
from tests.gateway.test_consent import a_review
from tests.gateway.test_operations import doubt
from tests.gateway.test_run_dashboards import activity
from tests.gateway.test_runs import DEMO, projected, text_to
from tests.harness import eventually

from chassis.http import make_server
from gateway.routes.app import make_routes

EXAMPLES = 6
SIGN_OUT = "DELETE /v1/sessions/current"
DESCRIBED_QUERY = "$/Common/Queries/Text Manager/Members"
# What these take is checked against iMIS, the organisation's settings, the time zones that exist,
# the version that If-Match names and earlier requests' keys, which no schema can say.
LOOKED_UP = [
    "POST /v1/campaigns",
    "PATCH /v1/campaigns/{campaign_id}",
    "DELETE /v1/campaigns/{campaign_id}",
    "POST /v1/campaigns/{campaign_id}/schedule",
    "POST /v1/campaigns/{campaign_id}/summary",
    "POST /v1/runs/{run_id}/resend",
    "PUT /v1/organizations/{cloud_id}",
    "PATCH /v1/settings",
    "PUT /v1/settings/imis",
    "PUT /v1/settings/twilio",
    "POST /v1/campaigns/{campaign_id}/copy",
    "POST /v1/campaigns/{campaign_id}/pause",
    "POST /v1/campaigns/{campaign_id}/resume",
    "POST /v1/campaigns/{campaign_id}/cancel",
    "POST /v1/campaigns/{campaign_id}/archive",
    "POST /v1/campaigns/{campaign_id}/restore",
    "POST /v1/campaigns/{campaign_id}/send-me-first",
    "POST /v1/messages",
    "POST /v1/recurrences/preview",
    "POST /v1/opt-outs",
    "POST /v1/opt-ins",
    "POST /v1/opt-outs/import",
    "POST /v1/uploads",
    "POST /v1/reviews/{review_id}",
    "POST /v1/runs/{run_id}/cancel",
    "POST /v1/runs/{run_id}/activities/retry",
    "GET /v1/usage",
    "GET /v1/usage.csv",
]


@asynccontextmanager
async def served(rig: Rig) -> AsyncIterator[str]:
    """The gateway over HTTP, at the address given."""
    server = make_server(make_routes(rig.gateway), host="127.0.0.1", port=0)
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


async def fuzz(
    url: str, folder: Path, token: str | None, *options: str, ids: dict[str, str] | None = None
) -> str:
    """Run all of schemathesis's phases and checks; return what it says, or fail with it."""
    said = ["[parameters]", *(f'"{name}" = "{value}"' for name, value in (ids or {}).items())]
    said += [f'[auth.openapi.operator]\nbearer = "{OPERATOR}"']
    said += [f'[auth.openapi.staff]\nbearer = "{token}"'] if token else []
    said += [f"[[operations]]\ninclude-name = {LOOKED_UP}"]
    allowed = ["2xx", "401", "403", "404", "409", "412", "422"]
    said += [f"checks.positive_data_acceptance.expected-statuses = {allowed}"]
    (folder / "schemathesis.toml").write_text("\n".join(said))
    command = Path(sys.executable).parent / "schemathesis"
    process = await asyncio.create_subprocess_exec(
        *(str(command), "--config-file", "schemathesis.toml"),
        *("run", f"{url}/v1/openapi.json", "--checks", "all", "--max-examples", str(EXAMPLES)),
        *("--generation-deterministic", "--continue-on-failure", "--no-color", *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    return output


@pytest.fixture
async def open_rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A gateway that lets logins fail for ever, and knows the query of its own examples."""
    many = {"login_attempts": 1_000_000, "address_attempts": 1_000_000}
    async with rigged(tmp_path, **many) as rig:
        rig.imis.columns_of[DESCRIBED_QUERY] = ["ID", "FullName", "Mobile Phone"]
        # A stream ends as soon as nothing is new, where it would wait.
        rig.stopping = True
        await rig.organization()
        yield rig


async def things(rig: Rig, staff: Client) -> dict[str, str]:
    """Make one of everything; return their ids."""
    made = (await staff.post("/v1/campaigns", CAMPAIGN)).json()
    path = f"/v1/campaigns/{made['campaign_id']}"
    summary = (await staff.post(f"{path}/summary?wait_seconds=0")).json()
    campaign = (await staff.post(f"{path}/schedule", {})).json()
    run = projected(campaign, state="completed", missed=2)
    rig.models.runs[DEMO, UUID(campaign["run_id"])] = run
    message = text_to(run, 1)
    rig.models.found[DEMO] = [message]
    rig.models.written[run.run_id] = [activity(1)]
    rig.models.to_read[DEMO] = [review := a_review()]
    uploaded = await staff.post(
        "/v1/uploads", body=b"ID,Phone\n1,2\n", headers={"content-type": "text/csv"}
    )
    unknown: dict[str, Any] = {"message_id": message.message_id, "run_id": run.run_id}
    rig.models.doubts = [doubt(**unknown)]
    return {
        "campaign_id": made["campaign_id"],
        "summary_id": summary["summary_id"],
        "run_id": str(run.run_id),
        "message_id": str(message.message_id),
        "upload_id": uploaded.json()["upload_id"],
        "review_id": str(review.review_id),
        "cloud_id": "DEMO",
    }


def sent(output: str) -> int:
    """Return how many requests passed."""
    found = re.search(r"(\d+) generated, (\d+) passed", output)
    assert found is not None, output
    return int(found[2])


async def test_staff_and_operators_may_send_anything(open_rig: Rig, tmp_path: Path) -> None:
    staff = await open_rig.staff()
    async with served(open_rig) as url:
        output = await fuzz(url, tmp_path, staff.token, "--exclude-name", SIGN_OUT)
        assert sent(output) > 1000
        # Only signing out is left out, as it would end the session of all that comes after it.
        described = (await staff.get("/v1/openapi.json")).json()["paths"]
        count = sum(len(operations) for operations in described.values())
        assert f"Tested: {count - 1}" in output
        assert "Authentication failed: 1 operation" in output, "all but the login let us in"
        output = await fuzz(url, tmp_path, staff.token, "--include-name", SIGN_OUT)
        assert "Tested: 1" in output


async def test_things_that_are_there_are_reached(open_rig: Rig, tmp_path: Path) -> None:
    staff = await open_rig.staff()
    ids = await things(open_rig, staff)
    known = ["/summaries/", "/resend", "/resolution", "/v1/messages/", "/v1/runs/"]
    known += ["/v1/uploads/", "/v1/reviews/"]
    pattern = "|".join(re.escape(each) for each in known)
    phases = ("--include-path-regex", pattern, "--phases", "examples,coverage,fuzzing")
    async with served(open_rig) as url:
        output = await fuzz(url, tmp_path, staff.token, *phases, ids=ids)
    assert "Missing test data" not in output


async def test_whoever_has_no_token_gets_nowhere(open_rig: Rig, tmp_path: Path) -> None:
    before = len(await open_rig.published())
    phases = ("--phases", "examples,fuzzing", "--exclude-path-regex", "/v1/(organizations|op)")
    async with served(open_rig) as url:
        output = await fuzz(url, tmp_path, None, *phases)
    assert "Authentication failed" in output
    assert len(await open_rig.published()) == before
