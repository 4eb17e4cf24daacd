"""Everything that can happen to a campaign, each as a step."""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.gateway.lives import BY, run_of
from tests.gateway.test_domain import OTHER

from contracts.events.campaign import (
    CampaignDefinition,
    CampaignEvent,
)
from gateway.domain import campaign as aggregate
from gateway.domain import following
from gateway.domain.transitions import Command, Refused

Step = Callable[[CampaignEvent, datetime], CampaignEvent | Refused | None]


def _other(known: CampaignEvent) -> CampaignDefinition:
    return known.definition.model_copy(update={"template": OTHER.template})


COMMANDS: dict[Command, Step] = {
    Command.EDIT: lambda c, at: aggregate.edit(c, _other(c), at=at, by=BY),
    Command.SCHEDULE: lambda c, at: aggregate.schedule(c, at + timedelta(days=2), at=at, by=BY),
    Command.DELETE: lambda c, at: aggregate.delete(c, at=at, by=BY, runs="cancel"),
    Command.PAUSE: lambda c, at: aggregate.pause(c, at=at, by=BY, reason="why"),
    Command.RESUME: lambda c, at: aggregate.resume(c, at=at, by=BY),
    Command.CANCEL: lambda c, at: aggregate.cancel(c, at=at, by=BY),
    Command.ARCHIVE: lambda c, at: aggregate.archive(c, at=at, by=BY),
    Command.RESTORE: lambda c, at: aggregate.restore(c, at=at, by=BY),
}
FOLLOWED: dict[str, Step] = {
    "start": lambda c, at: following.start(c, run_of(c), at=at, by="status"),
    "complete": lambda c, at: following.complete(c, run_of(c), at=at, by="status"),
    "hold": lambda c, at: following.hold(c, run_of(c), reason="30007", at=at, by="status"),
    "exhausted": lambda c, at: following.exhausted(c, at=at, by="gateway"),
}
STEPS: dict[str, Step] = {**{str(k): v for k, v in COMMANDS.items()}, **FOLLOWED}
