"""The demo organisation, for when simulators stand in for both outsides."""

import asyncio
import json
import time
from typing import Any

from textmanager.errors import UserError
from textmanager.probe import Answer, fetch

CLOUD_ID = "demo"
STAFF_USERNAME = "staff"
STAFF_PASSWORD = "staff-pass"  # noqa: S105 - the simulated iMIS's, not a secret
# The account that runs use, apart from any member of staff.
SERVICE_USERNAME = "textmanager"
SERVICE_PASSWORD = "service-pass"  # noqa: S105 - the simulated iMIS's, not a secret

# The account that the simulated Twilio is started with.
ACCOUNT_SID = "AC" + "de30" * 8
AUTH_TOKEN = "simulated-auth-token"  # noqa: S105 - the simulated Twilio's, not a secret
TOLL_FREE_NUMBER = "+18885550100"

PATIENCE_SECONDS = 15.0


def demo_organization(*, imis_url: str, segments_per_second: float) -> dict[str, Any]:
    """The demo organisation's settings as the gateway takes them."""
    return {
        "name": "Demo Association",
        "default_country": "US",
        "time_zone": "UTC",
        "segments_per_run": 10_000_000,
        "segments_per_day": 10_000_000,
        "imis": {
            "url": imis_url,
            "version": "ems",
            "username": SERVICE_USERNAME,
            "password": SERVICE_PASSWORD,
        },
        "twilio": {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN},
        "numbers": [
            {
                "number": TOLL_FREE_NUMBER,
                "segments_per_second": segments_per_second,
                "verification": "verified",
            }
        ],
    }


async def seed_demo_organization(
    *,
    gateway_url: str,
    operator_token: str,
    imis_url: str,
    cloud_id: str = CLOUD_ID,
    segments_per_second: float = 100.0,
) -> None:
    """Give the demo organisation its settings; harmless to repeat.

    Raises UserError with the gateway's own words when it refuses them.
    """
    body = demo_organization(imis_url=imis_url, segments_per_second=segments_per_second)
    answer = await _put(
        f"{gateway_url}/v1/organizations/{cloud_id}",
        json.dumps(body),
        {"Authorization": f"Bearer {operator_token}", "Content-Type": "application/json"},
    )
    if answer.status >= 300:
        raise UserError(
            f"The gateway refused the demo organisation ({answer.status}): {answer.body[:300]}"
        )


async def _put(url: str, body: str, headers: dict[str, str]) -> Answer:
    """PUT until it is answered by other than 503, for as long as a restart may take."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = await fetch("PUT", url, body=body, headers=headers, timeout_seconds=10.0)
            if answer.status != 503 or time.monotonic() > deadline:
                return answer
        except OSError as error:
            if time.monotonic() > deadline:
                raise UserError(
                    f"The gateway at {url} does not answer ({error}): see its log."
                ) from error
        await asyncio.sleep(0.1)
