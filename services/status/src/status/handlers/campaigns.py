"""What becomes of campaigns, and the spikes of one error among their outcomes (X-7)."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from contracts.envelope import Envelope
from contracts.events.campaign import CampaignEvent
from contracts.events.organization import OrganizationSettings
from contracts.events.run import RunAlarm
from status.domain.provider import NO_CODE
from status.domain.run import Tally
from status.domain.spike import Campaign, Outcomes, Spike, look_for_spike
from status.domain.trouble import Trouble
from status.ports import Campaigns
from twilio_client.explained import advice, meaning

SPIKE_ERRORS = int(OrganizationSettings.model_fields["spike_errors"].default)
SPIKE_WINDOW = int(OrganizationSettings.model_fields["spike_window"].default)
_NO_CODE_TOLD = "Look at these texts in Twilio's log before you resume."


async def follow_campaigns(
    events: Sequence[Envelope[CampaignEvent]], *, campaigns: Campaigns
) -> None:
    """Learn which campaigns are kept back, and from when on outcomes count anew."""
    await campaigns.follow([each.event for each in events])


async def find_spikes(
    outcomes: Mapping[UUID, Outcomes], *, campaigns: Campaigns
) -> dict[UUID, Tally]:
    """Count a batch's outcomes; returns what is to be told, by the run of which it is told."""
    if not outcomes:
        return {}
    failing = await campaigns.add(outcomes)
    settings = await campaigns.settings({each.organization_id for each in failing})
    changed: list[Campaign] = []
    found: dict[UUID, Tally] = {}
    for known in failing:
        own = settings.get(known.organization_id)
        after, spike = look_for_spike(
            known,
            outcomes[known.campaign_id],
            errors=SPIKE_ERRORS if own is None else own.spike_errors,
            among=SPIKE_WINDOW if own is None else own.spike_window,
        )
        if after != known:
            changed.append(after)
        if spike is not None:
            last = spike.last
            found[last.run_id] = Tally(
                known.organization_id,
                known.campaign_id,
                last.heard_at,
                last.because,
                troubles=(_trouble(spike),),
            )
    await campaigns.keep(changed)
    return found


def _trouble(spike: Spike) -> Trouble:
    code = None if spike.code == NO_CODE else spike.code
    named = "failed without an error code" if code is None else f"{code}: {meaning(code)}"
    return Trouble(
        RunAlarm.ERROR_SPIKE,
        f"{spike.errors} of the last {spike.among} texts: {named}",
        advice(code) or _NO_CODE_TOLD,
        code,
    )
