"""Launches campaigns as staff do, one after the other, for as long as there is somebody to kill."""

from dataclasses import dataclass, field

from tests.chaos.expected import Text, template, texts_of
from tests.chaos.world import World

from simulators.imis.catalogue import MEMBERS
from textmanager.demo.api import Gateway
from textmanager.plan import Plan
from textmanager.seed import (
    CLOUD_ID,
    STAFF_PASSWORD,
    STAFF_USERNAME,
    seed_demo_organization,
)


@dataclass(slots=True)
class Campaigns:
    """The demo organisation's campaigns, all to the same members."""

    world: World
    gateway: Gateway
    runs: list[str] = field(default_factory=list)
    expected: list[Text] = field(default_factory=list)

    async def launch(self) -> str:
        """Write a campaign and send it now, on a system that is ready; returns the run's id."""
        number = len(self.runs) + 1
        await self.gateway.sign_in(
            username=STAFF_USERNAME, password=STAFF_PASSWORD, cloud_id=CLOUD_ID
        )
        columns = {
            "iqa_path": MEMBERS,
            "phone_column": "Mobile Phone",
            "id_column": "iMIS Id",
        }
        campaign = await self.gateway.post(
            "/v1/campaigns",
            {
                "name": f"Notice {number}",
                "audience": columns,
                "template": template(number),
                "mode": "LIVE",
                "write_to": "activity",
            },
        )
        path = f"/v1/campaigns/{campaign['campaign_id']}/schedule"
        scheduled = await self.gateway.post(path, {"at": None})
        self.runs.append(str(scheduled["run_id"]))
        self.expected += texts_of(self.world.imis.people, number)
        return self.runs[-1]


async def seeded(world: World, plan: Plan, *, segments_per_second: float) -> Campaigns:
    """Make the demo organisation, on a system that is ready."""
    await seed_demo_organization(
        gateway_url=plan.addresses.gateway,
        operator_token=plan.operator_token,
        imis_url=world.imis_url,
        segments_per_second=segments_per_second,
    )
    return Campaigns(world, Gateway(plan.addresses.gateway))
