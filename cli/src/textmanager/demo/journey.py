"""The steps of a staff member who sends a campaign, through the REST API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from textmanager.demo.api import Gateway
from textmanager.demo.mail import AUTHOR
from textmanager.errors import UserError
from textmanager.seed import CLOUD_ID, STAFF_PASSWORD, STAFF_USERNAME

FOLDERS = ("Common", "Queries", "Text Manager")
QUERY = "Members with mobile phones"
TEMPLATE = (
    "Hello ${FullName}, your dues of ${Balance} are due on 1 May. Member since ${Member Since}."
)
NAME = "Dues reminder"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Launched:
    """A campaign on its way."""

    campaign_id: str
    run_id: str
    iqa_path: str
    summary: dict[str, Any]


async def sign_in(gateway: Gateway, *, say: Say) -> None:
    """Sign in as staff do."""
    await gateway.sign_in(username=STAFF_USERNAME, password=STAFF_PASSWORD, cloud_id=CLOUD_ID)
    say(f"Signed in as {STAFF_USERNAME}, Cloud ID {CLOUD_ID}")


async def launch(gateway: Gateway, *, say: Say) -> Launched:
    """Find the audience, write the campaign, look at its summary, and send it now."""
    path = await find_query(gateway)
    say(f"Found the IQA {path}")
    columns = await gateway.get(f"/v1/iqas/columns?path={quote(path)}")
    names = [column["alias"] for column in columns["columns"]]
    say("Its columns: " + ", ".join(names))
    campaign = await gateway.post(
        "/v1/campaigns",
        {
            "name": NAME,
            "email": AUTHOR,
            "audience": {
                "iqa_path": path,
                "phone_column": "Mobile Phone",
                "id_column": "iMIS Id",
            },
            "template": TEMPLATE,
            "mode": "LIVE",
            "write_to": "activity",
        },
    )
    campaign_id = campaign["campaign_id"]
    say(f"Created the campaign: {TEMPLATE}")
    summary = await gateway.post(f"/v1/campaigns/{campaign_id}/summary?wait_seconds=60", {})
    say(
        f"Summary: {summary['contacts_returned']} contacts, {summary['will_be_sent_to']} texts, "
        f"about {summary['estimated_segments']} segments"
    )
    scheduled = await gateway.post(f"/v1/campaigns/{campaign_id}/schedule", {"at": None})
    say("Scheduled it for now\n")
    return Launched(campaign_id, scheduled["run_id"], path, summary)


async def find_query(gateway: Gateway) -> str:
    """Browse from the root to the query, as staff do."""
    path = "$"
    for name in (*FOLDERS, QUERY):
        folder = await gateway.get(f"/v1/iqas?path={quote(path)}")
        found = next((e for e in folder["entries"] if e["name"] == name), None)
        if found is None:
            raise UserError(f"iMIS has no {name!r} in {path}.")
        path = found["path"]
    return path
