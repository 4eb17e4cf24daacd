"""What goes wrong and in which order: drawn from the seed, before anything has started.

Moments are counted in texts that Twilio accepts, not in seconds, so that the same seed strikes
at the same kind of moment on a slow machine as on a fast one.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.orders import Order, Orders

TWILIO_FAULTS = (
    "twilio:429",
    "twilio:500_before",
    "twilio:500_after",
    "twilio:timeout_after",
    "twilio:drop_before",
    "twilio:drop_after",
    "twilio:half_answer",
    "twilio:slow",
    "twilio:21610_by_callback",
    "twilio:callback_lost",
    "twilio:callback_final_lost",
    "twilio:callback_repeated",
    "twilio:callback_reordered",
    "twilio:callback_before_201",
    "twilio:get_429",
    "twilio:get_500",
    "twilio:get_drop",
    "twilio:get_timeout",
    "twilio:get_half_answer",
    "twilio:inbound_lost",
    "twilio:inbound_repeated",
)
IMIS_FAULTS = (
    "imis:401_live_token",
    "imis:500_before",
    "imis:500_after",
    "imis:html_page",
    "imis:slow",
    "imis:timeout_after_commit",
    "imis:drop_after_commit",
)
# Befalls each campaign's audience while it is read, once, so that another reading mends it.
PAGING = "imis:rows_change"
STOPS = "stops"
STAFF = "staff"
GROUPS: dict[str, tuple[str, ...]] = {
    "none": (),
    "twilio": TWILIO_FAULTS,
    "imis": (*IMIS_FAULTS, PAGING),
    "all": (*TWILIO_FAULTS, *IMIS_FAULTS, PAGING, STOPS, STAFF),
}
# Twilio itself blocks after the first; of the second only we know that it is a stop.
STOP_WORDS = ("STOP", "Stop.")
# Those who hold leases: what a pause past one is dangerous for.
PAUSED = (
    *("sender", "imis-writer", "audience", "status", "projections", "ingress", "consent"),
    *("scheduler", "notifier"),
)
# Which processes are struck more often than the others, as more depends on them.
WEIGHTS = {"sender": 3, "status": 2, "imis-writer": 2, "kafka": 2, "valkey": 2, "postgresql": 3}

SHORT_PAUSE = 4.3, 5.0
LONG_PAUSE = 8.0, 10.0


@dataclass(frozen=True, slots=True)
class Kill:
    """End these at the same moment."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KillTwice:
    """End this one, and again while it starts."""

    name: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop this one past its lease, then let it go on, if it is still there."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule for one of the simulators."""

    name: str
    """Whose it is and which, such as `twilio:429`."""
    chance: float
    times: int
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weather:
    """From now on these faults, and no others."""

    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Some members text a stop; `draw` says who, as far as there are so many."""

    word: str
    draw: tuple[float, ...]


Action = Kill | KillTwice | Pause | Weather | Stop | Order


@dataclass(frozen=True, slots=True)
class Step:
    """An action, and how many texts are accepted before it, at the seed's pace."""

    pace: float
    action: Action


def faults_named(words: str) -> tuple[str, ...]:
    """Read `all`, `none`, a group, a fault's own name, or several with commas in between."""
    found: dict[str, None] = {}
    for word in filter(None, (each.strip() for each in words.split(","))):
        if word not in GROUPS and word not in GROUPS["all"]:
            raise ValueError(f"no fault {word!r}; there are {', '.join((*GROUPS, *GROUPS['all']))}")
        found.update(dict.fromkeys(GROUPS.get(word, (word,))))
    return tuple(found)


def draw_plan(
    *, seed: int, kills: int, victims: Sequence[str], faults: Sequence[str]
) -> list[Step]:
    """Return the steps with exactly so many kills, each victim in its turn."""
    chance = random.Random(seed)
    turns = _Turns(chance, [v for v in victims for _ in range(WEIGHTS.get(service_of(v), 1))])
    weather = [each for each in faults if each not in {STOPS, PAGING, STAFF}]
    rules = _Turns(chance, weather)
    orders = Orders(seed)
    steps: list[Step] = []
    left = kills
    while left > 0:
        action = _strike(chance, turns, left, victims)
        match action:
            case Kill(names):
                left -= len(names)
            case KillTwice():
                left -= 2
            case _:
                pass
        steps.append(Step(chance.uniform(0.4, 2.0), action))
        if (weather or STOPS in faults) and chance.random() < 0.5:
            steps.append(
                Step(chance.uniform(0.1, 0.6), _outside(chance, rules, stops=STOPS in faults))
            )
        if STAFF in faults and (order := orders.draw()) is not None:
            steps.append(Step(chance.uniform(0.1, 0.6), order))
    return steps


class _Turns:
    """Draws names like cards, so that in a long run each has its turn as often as it is there."""

    def __init__(self, chance: random.Random, names: Sequence[str]) -> None:
        self._chance = chance
        self.all = list(names)
        self._left: list[str] = []

    def draw(self) -> str:
        if not self._left:
            self._left = self._chance.sample(self.all, len(self.all))
        return self._left.pop()


def service_of(slot: str) -> str:
    """Return the service or engine that a process such as sender-2 is of."""
    name, _, number = slot.rpartition("-")
    return name if number.isdecimal() else slot


def _strike(
    chance: random.Random, turns: _Turns, left: int, victims: Sequence[str]
) -> Kill | KillTwice | Pause:
    kind = chance.random()
    if kind < 0.12:
        paused = chance.choice([v for v in victims if service_of(v) in PAUSED] or list(victims))
        longer = chance.random() < 0.3
        return Pause(paused, round(chance.uniform(*(LONG_PAUSE if longer else SHORT_PAUSE)), 1))
    if kind < 0.24 and left > 1:
        first = turns.draw()
        return Kill((first, chance.choice([v for v in victims if v != first])))
    if kind < 0.34 and left > 1:
        return KillTwice(turns.draw())
    return Kill((turns.draw(),))


def _outside(chance: random.Random, rules: _Turns, *, stops: bool) -> Weather | Stop:
    if stops and (not rules.all or chance.random() < 0.35):
        draw = tuple(chance.random() for _ in range(chance.randint(1, 4)))
        return Stop(chance.choice(STOP_WORDS), draw)
    if not rules.all or chance.random() < 0.25:
        # Fair weather now and then.
        return Weather(())
    names = dict.fromkeys(rules.draw() for _ in range(chance.randint(1, 4)))
    return Weather(tuple(_fault(chance, name) for name in names))


def _fault(chance: random.Random, name: str) -> Fault:
    share = round(chance.uniform(0.1, 0.5), 2)
    if name == "twilio:500_before" and chance.random() < 0.5:
        share = 1.0
    params = {"seconds": round(chance.uniform(0.5, 3.0), 1)} if name.endswith(":slow") else {}
    return Fault(name, share, chance.randint(3, 25), params)
