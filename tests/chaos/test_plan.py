"""What goes wrong is the seed's alone, and every kind of it comes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.chaos.orders import CancelNewest, HoldBack, Order, SendUrgent
from tests.chaos.plan import (
    GROUPS,
    PAGING,
    Kill,
    KillTwice,
    Pause,
    Step,
    Stop,
    Weather,
    draw_plan,
    faults_named,
    service_of,
)

from simulators.imis.faults import KNOWN as IMIS
from simulators.twilio.faults import KNOWN as TWILIO

VICTIMS = ("kafka", "valkey", "sender-1", "sender-2", "status-1", "imis-writer-1", "gateway-1")
ALL = GROUPS["all"]


def struck(steps: list[Step]) -> Counter[str]:
    """How often each is killed."""
    count: Counter[str] = Counter()
    for step in steps:
        match step.action:
            case Kill(names):
                count.update(names)
            case KillTwice(name):
                count[name] += 2
            case _:
                pass
    return count


@given(seed=st.integers(0, 10_000), kills=st.integers(1, 60))
def test_the_same_seed_gives_the_same_plan_with_exactly_so_many_kills(
    seed: int, kills: int
) -> None:
    plan = draw_plan(seed=seed, kills=kills, victims=VICTIMS, faults=ALL)
    assert plan == draw_plan(seed=seed, kills=kills, victims=VICTIMS, faults=ALL)
    assert struck(plan).total() == kills
    assert all(step.pace > 0 for step in plan)


def test_another_seed_gives_another_plan() -> None:
    plans = [draw_plan(seed=n, kills=20, victims=VICTIMS, faults=ALL) for n in range(5)]
    assert len({str(plan) for plan in plans}) == 5


def test_a_long_plan_strikes_everybody_and_does_everything() -> None:
    plan = draw_plan(seed=1, kills=200, victims=VICTIMS, faults=ALL)
    assert struck(plan).keys() == set(VICTIMS)
    kinds = {type(step.action) for step in plan}
    assert kinds == {Kill, KillTwice, Pause, Weather, Stop, HoldBack, CancelNewest, SendUrgent}
    held = {step.action.everything for step in plan if isinstance(step.action, HoldBack)}
    assert held == {True, False}
    pairs = [s.action.names for s in plan if isinstance(s.action, Kill) and len(s.action.names) > 1]
    assert pairs
    assert all(len(set(names)) == len(names) for names in pairs)
    pauses = [step.action.seconds for step in plan if isinstance(step.action, Pause)]
    assert min(pauses) > 4, "past a sender's lease"
    assert max(pauses) > 6 > min(pauses), "some are longer than the supervisor's patience"
    named = {f.name for s in plan if isinstance(s.action, Weather) for f in s.action.faults}
    assert named == {each for each in ALL if ":" in each and each != PAGING}


def test_without_faults_the_weather_stays_fair() -> None:
    plan = draw_plan(seed=1, kills=100, victims=VICTIMS, faults=())
    assert not [step for step in plan if isinstance(step.action, Weather | Stop | Order)]


def test_each_fault_is_one_that_its_simulator_knows() -> None:
    for name in ALL:
        where, _, fault = name.partition(":")
        assert where in {"stops", "staff"} or fault in (TWILIO if where == "twilio" else IMIS)


def test_faults_are_named_by_group_or_one_by_one() -> None:
    assert faults_named("none") == ()
    assert faults_named("all") == ALL
    assert faults_named("twilio:429, stops") == ("twilio:429", "stops")
    assert faults_named("imis,imis:html_page") == GROUPS["imis"]
    with pytest.raises(ValueError, match="no fault 'twilio:typo'"):
        faults_named("twilio:typo")


@pytest.mark.parametrize(
    ("slot", "service"),
    [("sender-2", "sender"), ("imis-writer-1", "imis-writer"), ("kafka", "kafka")],
)
def test_a_replica_is_of_its_service(slot: str, service: str) -> None:
    assert service_of(slot) == service
