"""How far a rebuild is, and what it came to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from projections.comparison import Difference


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is."""

    done: int
    """Events taken by this call."""
    left: int
    seconds: float


Report = Callable[[Progress], None]


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild came to."""

    former: int
    generation: int
    events: int
    """How many events this call took; fewer than there are when it went on with an earlier one."""
    seconds: float
    gaps: int
    """Records of the log that could not be projected."""
    ahead: int
    """So many events more than the former generation had the new one when they were compared."""
    differences: list[Difference]
    removed: list[int] = field(default_factory=list)
    """Generations before the former one, which are gone now: the next rebuild's, if there was a
    switch a moment ago."""
