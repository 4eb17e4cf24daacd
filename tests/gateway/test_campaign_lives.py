"""TM-12: whole lives of campaigns, of any steps that were allowed."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.fakes import NOON
from tests.gateway.lives import RECURRING, TWICE, drafted
from tests.gateway.steps import STEPS
from tests.gateway.test_domain import DEFINITION

from contracts.events.campaign import (
    CampaignEvent,
    CampaignStatus,
)
from gateway.domain.campaign import fold

S = CampaignStatus


@st.composite
def lives(draw: st.DrawFn) -> list[CampaignEvent]:
    """A campaign's whole life, by steps that were allowed."""
    events = [drafted(draw(st.sampled_from([DEFINITION, RECURRING, TWICE])))]
    at = NOON
    for step in draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=12)):
        at += timedelta(minutes=1)
        after = STEPS[step](events[-1], at)
        if isinstance(after, CampaignEvent):
            events.append(after)
    return events


@given(lives(), st.data())
def test_the_state_is_the_same_however_the_events_arrive(
    life: list[CampaignEvent], data: st.DataObject
) -> None:
    repeated = data.draw(st.lists(st.sampled_from(life), max_size=5))
    arrival = data.draw(st.permutations([*life, *repeated]))
    assert fold(arrival) == life[-1]
    assert fold([]) is None


@given(lives())
def test_a_life_counts_its_steps_and_never_comes_back_from_its_end(
    life: list[CampaignEvent],
) -> None:
    assert [each.sequence for each in life] == list(range(1, len(life) + 1))
    assert [each.launch for each in life] == sorted(each.launch for each in life)
    assert life[-1].launch <= 1
    states = [each.status for each in life]
    if S.DELETED in states:
        assert states.index(S.DELETED) == len(states) - 1
    if S.CANCELLED in states:
        rest = set(states[states.index(S.CANCELLED) :])
        assert rest <= {S.CANCELLED, S.ARCHIVED}
    for each in life:
        assert (each.returns_to is not None) == (each.status in {S.PAUSED, S.ARCHIVED})
        assert each.status is not S.SENDING or each.under_way
        assert each.status not in {S.COMPLETED, S.CANCELLED} or not each.under_way
