"""Faults on demand and by seeded chance, so that a bad day can be repeated exactly."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import orjson


class BadRuleError(ValueError):
    """The rule can't be used; the text says why."""


@dataclass(slots=True)
class Rule:
    """One fault: which, how often (a chance, or the next N times), and for whom."""

    name: str
    chance: float = 1.0
    left: int | None = None
    match: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    fired: int = 0

    def matches(self, facts: Mapping[str, str]) -> bool:
        """Say whether each pattern (`*` and `?` allowed) fits the fact of its name."""
        return all(fnmatchcase(facts.get(key, ""), want) for key, want in self.match.items())

    def as_json(self) -> dict[str, Any]:
        """Show the rule as `GET /_sim/faults` does."""
        return {
            "name": self.name,
            "chance": self.chance,
            "times": self.left,
            "match": self.match,
            "params": self.params,
            "fired": self.fired,
        }


class Faults:
    """The plan of faults; the same seed and the same requests give the same faults."""

    def __init__(self, known: Collection[str], *, seed: int = 0) -> None:
        self.known = frozenset(known)
        self.rules: list[Rule] = []
        self.reseed(seed)

    def reseed(self, seed: int) -> None:
        """Start the chances again from a seed."""
        self.seed = seed
        self._random = random.Random(seed)

    def add(
        self,
        name: str,
        *,
        chance: float = 1.0,
        times: int | None = None,
        match: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Rule:
        """Add a rule behind those that are there; the first that fits wins."""
        if name not in self.known:
            raise BadRuleError(f"unknown fault {name!r}; known: {sorted(self.known)}")
        if not 0.0 <= chance <= 1.0:
            raise BadRuleError("chance must lie between 0 and 1")
        if times is not None and times < 1:
            raise BadRuleError("times must be at least 1")
        rule = Rule(name, chance, times, dict(match or {}), dict(params or {}))
        self.rules.append(rule)
        return rule

    def clear(self, name: str = "") -> None:
        """Forget every rule, or those of one name."""
        self.rules[:] = [rule for rule in self.rules if name and rule.name != name]

    def pick(self, facts: Mapping[str, str], among: Collection[str] | None = None) -> Rule | None:
        """Give the fault that befalls this request, and count it; usually none does.

        `among` limits the choice to the faults that can happen at this point.
        """
        for rule in self.rules:
            if (among is not None and rule.name not in among) or rule.left == 0:
                continue
            if not rule.matches(facts):
                continue
            if rule.chance < 1.0 and self._random.random() >= rule.chance:
                continue
            rule.fired += 1
            if rule.left is not None:
                rule.left -= 1
            return rule
        return None

    def as_json(self) -> dict[str, Any]:
        """Show the plan."""
        return {
            "seed": self.seed,
            "known": sorted(self.known),
            "rules": [rule.as_json() for rule in self.rules],
        }


def answer_faults(
    faults: Faults, method: str, body: bytes, name: str = ""
) -> tuple[int, dict[str, Any]]:
    """Serve `/_sim/faults`: POST adds one rule or a list, GET shows, DELETE clears.

    DELETE with a name leaves the others as they are. A rule is
    `{"name", "chance"?, "times"?, "match"?, "params"?}`; a POST of `{"seed": n, "rules": [...]}`
    reseeds first. A POST with a bad rule changes nothing.
    """
    match method:
        case "GET":
            return 200, faults.as_json()
        case "DELETE":
            faults.clear(name)
            return 200, faults.as_json()
        case "POST":
            return _add_rules(faults, body)
        case _:
            return 405, {"error": "GET, POST or DELETE"}


def _add_rules(faults: Faults, body: bytes) -> tuple[int, dict[str, Any]]:
    before = list(faults.rules)
    try:
        posted = orjson.loads(body)
        if isinstance(posted, dict) and "rules" in posted:
            rules, seed = posted["rules"], posted.get("seed")
        else:
            rules, seed = (posted if isinstance(posted, list) else [posted]), None
        for rule in rules:
            faults.add(**rule)
    except (TypeError, ValueError) as error:
        faults.rules[:] = before
        return 400, {"error": str(error)}
    if seed is not None:
        faults.reseed(int(seed))
    return 200, faults.as_json()
