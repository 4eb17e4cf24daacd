"""Whether what iMIS holds is what we may have written; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from imis_writer.domain.effects import KIND, Absent, Ambiguous, Effect, Written

NEAR = timedelta(hours=26)
"""An activity this near might be ours, its time shifted by a zone or cut to the day."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An activity that iMIS holds, as iMIS tells it."""

    seqn: str
    imis_id: str
    kind: str
    transaction_date: datetime | None
    description: str = field(repr=False)
    note: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What our own ledger knows about the same members."""

    taken: frozenset[str] = frozenset()
    """SEQNs that belong to other effects."""
    open: Sequence[Effect] = ()
    """Effects that may be in iMIS without a SEQN that we know."""


def recognise(
    effect: Effect, candidates: Iterable[Candidate], around: Surroundings
) -> Written | Absent | Ambiguous:
    """Find an effect among a member's activities; what can't be told apart is ambiguous."""
    rivals = [each for each in around.open if _is_rival(effect, each)]
    theirs = {each.text for each in rivals} - {effect.text}
    free = [
        each
        for each in candidates
        if _may_be(effect, each) and each.seqn not in around.taken and each.note not in theirs
    ]
    same = [each for each in free if each.transaction_date == _second(effect)]
    if len(same) > 1 or rivals:
        # A text is no condition, for iMIS may cut it; but among equals it decides.
        same = [each for each in same if each.note == effect.text]
        rivals = [each for each in rivals if each.text == effect.text]
    if len(same) == 1 and not rivals:
        return Written(same[0].seqn)
    return Ambiguous() if any(_is_near(effect, each) for each in free) else Absent()


def _second(effect: Effect) -> datetime:
    return effect.transaction_date.replace(microsecond=0)


def _may_be(effect: Effect, found: Candidate) -> bool:
    # A site may leave the member and the type out of its answer.
    return (
        found.description == effect.to
        and found.imis_id in {"", effect.imis_id}
        and found.kind in {"", KIND}
    )


def _is_near(effect: Effect, found: Candidate) -> bool:
    """Whether it may be the effect, though its time isn't the one that we wrote."""
    if found.transaction_date is None:
        return True
    distance = abs(found.transaction_date - _second(effect))
    return not distance or (distance <= NEAR and found.note == effect.text)


def _is_rival(effect: Effect, other: Effect) -> bool:
    return (
        other.message_id != effect.message_id
        and (other.imis_id, other.to) == (effect.imis_id, effect.to)
        and _second(other) == _second(effect)
    )
