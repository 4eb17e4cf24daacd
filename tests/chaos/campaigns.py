"""Launches campaigns as staff do, one after the other, for as long as there is somebody to kill."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.expected import (
    JOB_TEMPLATE,
    Text,
    campaign_of,
    job_rows,
    job_texts,
    template,
    texts_of,
)
from tests.chaos.job import Job, drawn_up
from tests.chaos.world import World

from simulators.imis.catalogue import MEMBERS
from textmanager.demo.api import Gateway
from textmanager.plan import Plan
from textmanager.probe import fetch
from textmanager.seed import (
    CLOUD_ID,
    STAFF_PASSWORD,
    STAFF_USERNAME,
    seed_demo_organization,
)

COLUMNS = ("iMIS Id", "FullName", "Mobile Phone")
JOB_PATH = "$/Common/Queries/Text Manager/The job"
JOB_ADDRESS = "job@chaos.example.org"


@dataclass(slots=True)
class Campaigns:
    """The demo organisation's campaigns, all to the same members, and one recurring job."""

    world: World
    gateway: Gateway
    ids: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    expected: list[Text] = field(default_factory=list)
    job: Job | None = None
    written_off: int = 0

    @property
    def newest(self) -> tuple[int, str]:
        """The number and the id of the campaign that was launched last."""
        return len(self.ids), self.ids[-1]

    @property
    def due(self) -> list[str]:
        """The local times at which the job must run."""
        return [] if self.job is None else self.job.times

    @property
    def reports_due(self) -> dict[str, int]:
        """How many reports each address gets: one of each run."""
        each = {_address(number): 1 for number in range(1, len(self.ids) + 1)}
        return each if self.job is None else each | {JOB_ADDRESS: len(self.job.times)}

    @property
    def left(self) -> int:
        """How many texts of the numbered campaigns are still to be sent, at least."""
        wanted = sum(text.campaign > 0 for text in self.expected)
        return wanted - self.written_off - self.world.accepted

    def write_off(self, number: int) -> None:
        """Reckon no more with what was not sent of a campaign that was cancelled."""
        entries = self.world.twilio.store.messages.entries()
        taken = sum(campaign_of(each["body"]) == number for each in entries)
        self.written_off += sum(text.campaign == number for text in self.expected) - taken

    async def launch(self) -> str:
        """Write a campaign and send it now, on a system that is ready; returns the run's id."""
        number = len(self.ids) + 1
        await self._sign_in()
        campaign = await self._write(
            f"Notice {number}", MEMBERS, template(number), email=_address(number)
        )
        scheduled = await self._schedule(campaign)
        self.ids.append(campaign)
        self.runs.append(str(scheduled["run_id"]))
        self.expected += texts_of(self.world.imis.people, number)
        return self.runs[-1]

    async def begin_job(self, *, members: int, occurrences: int) -> None:
        """Schedule a recurring campaign, of which each time is due within the next minutes."""
        query = {"path": JOB_PATH, "columns": COLUMNS, "rows": job_rows(members)}
        await fetch(
            "PUT",
            f"{self.world.imis_url}/_sim/queries",
            body=json.dumps(query),
            timeout_seconds=15.0,
        )
        await self._sign_in()
        job = drawn_up(occurrences)
        job.campaign_id = await self._write(
            "The job",
            JOB_PATH,
            JOB_TEMPLATE,
            email=JOB_ADDRESS,
            kind="recurring",
            recurrence=job.recurrence,
        )
        await self._schedule(job.campaign_id)
        self.job = job
        self.expected += job_texts(members, occurrences)

    async def _write(self, name: str, path: str, text: str, **more: Any) -> str:
        columns = {"iqa_path": path, "phone_column": "Mobile Phone", "id_column": "iMIS Id"}
        fields = {
            "name": name,
            "audience": columns,
            "template": text,
            "mode": "LIVE",
            "write_to": "activity",
        }
        return str((await self.gateway.post("/v1/campaigns", fields | more))["campaign_id"])

    async def _schedule(self, campaign_id: str) -> dict[str, Any]:
        return await self.gateway.post(f"/v1/campaigns/{campaign_id}/schedule", {"at": None})

    async def _sign_in(self) -> None:
        await self.gateway.sign_in(
            username=STAFF_USERNAME, password=STAFF_PASSWORD, cloud_id=CLOUD_ID
        )


def _address(number: int) -> str:
    return f"notice-{number}@chaos.example.org"


async def seeded(world: World, plan: Plan, *, segments_per_second: float) -> Campaigns:
    """Make the demo organisation, on a system that is ready."""
    await seed_demo_organization(
        gateway_url=plan.addresses.gateway,
        operator_token=plan.operator_token,
        imis_url=world.imis_url,
        segments_per_second=segments_per_second,
    )
    return Campaigns(world, Gateway(plan.addresses.gateway))
