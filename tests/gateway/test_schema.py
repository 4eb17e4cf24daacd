"""The described API, tried with whatever its description allows, and with what it forbids."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from tests.gateway.client import Client, Got
from tests.gateway.rig import CAMPAIGN, Rig

# The stream of a run that isn't over has no end; signing out would end the test's own session.
ENDLESS = {"/v1/runs/{run_id}/events", "/v1/sessions/current"}
EXAMPLES = 6


async def send(client: Client, case: Any, known: dict[str, str]) -> Got:
    """Send a generated request, about things that are known to exist where there are some."""
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        use = known.get(name)
        path = path.replace(f"{{{name}}}", quote(use or str(value), safe="", errors="replace"))
    query = urlencode(case.query or {}, doseq=True, errors="replace")
    headers = {
        name: value.encode("utf-8", "replace").decode("latin-1")
        for name, value in (case.headers or {}).items()
        if name.lower() != "authorization"
    }
    body = case.body
    raw = b"" if type(body).__name__ == "NotSet" else json.dumps(body, default=str).encode()
    return await client.request(case.method, f"{path}?{query}", body=raw, headers=headers)


def attempts(operation: Any, mode: GenerationMode, ask: Callable[[Any], Got]) -> Callable[[], None]:
    """Return a property: each generated request is answered, and well."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Any) -> None:
        case.query = {**(case.query or {}), "wait_seconds": 0}
        got = ask(case)
        assert got.status < 500, (case.method, case.path, got.body)
        if got.status >= 400:
            assert got.headers["content-type"] == "application/problem+json"

    return attempt


def test_nothing_that_the_description_allows_or_forbids_fails(tmp_path: Path) -> None:
    rig = Rig(tmp_path, login_attempts=1_000_000)
    seen: dict[str, set[int]] = defaultdict(set)
    with asyncio.Runner() as runner:
        runner.run(rig.store.start())
        runner.run(rig.organization())
        staff = runner.run(rig.staff())
        made = runner.run(staff.post("/v1/campaigns", CAMPAIGN)).json()
        known = {"campaign_id": made["campaign_id"], "cloud_id": "DEMO"}
        described = runner.run(rig.anybody.get("/v1/openapi.json")).json()

        def ask(client: Client, mode: GenerationMode, case: Any) -> Got:
            there = known if mode is GenerationMode.POSITIVE else {}
            got = runner.run(send(client, case, there))
            seen[case.operation.label].add(got.status)
            return got

        operations: Any = schemathesis.openapi.from_dict(described).get_all_operations()
        for operation in (found.ok() for found in operations):
            if operation.path in ENDLESS:
                continue
            client = rig.operator if "organizations" in operation.path else staff
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                attempts(operation, mode, partial(ask, client, mode))()
        runner.run(rig.store.stop())
    assert 201 in seen["POST /v1/campaigns"]
    assert 200 in seen["PATCH /v1/campaigns/{campaign_id}"]
