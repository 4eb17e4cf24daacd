"""What staff do while everything is being killed: hold, cancel, send one urgent text."""

import random
from dataclasses import dataclass

HOLD_SECONDS = 3.0, 4.5
# After how many strikes on average staff do something, and how often which.
CHANCE = 0.4
_DECK = ("urgent", "pause", "stop", "urgent", "pause", "cancel")


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Pause the newest campaign, or stop everything, and let it go on after a while."""

    everything: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class CancelNewest:
    """Cancel the newest campaign."""


@dataclass(frozen=True, slots=True)
class SendUrgent:
    """Send one text to one member, at once."""


Order = HoldBack | CancelNewest | SendUrgent


class Orders:
    """Draws orders, each kind in its turn, apart from what decides who is killed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"staff {seed}")
        self._left: list[str] = []

    def draw(self) -> Order | None:
        """Return what is ordered after one strike: one thing, or nothing."""
        if self._chance.random() >= CHANCE:
            return None
        if not self._left:
            self._left = self._chance.sample(_DECK, len(_DECK))
        kind = self._left.pop()
        if kind == "urgent":
            return SendUrgent()
        if kind == "cancel":
            return CancelNewest()
        return HoldBack(kind == "stop", round(self._chance.uniform(*HOLD_SECONDS), 1))
