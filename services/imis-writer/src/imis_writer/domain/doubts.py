"""Whether what iMIS holds is what we may have written; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

from imis_writer.domain.effects import Effect, Kind
from imis_writer.domain.outcomes import (
    Absent,
    Ambiguous,
    Deleted,
    LoginRefused,
    Look,
    NoAnswer,
    Opened,
    Present,
    Written,
)

NEAR = timedelta(hours=26)
"""An activity this near might be ours, its time shifted by a zone or cut to the day."""


@dataclass(frozen=True, slots=True)
class OfMember:
    """Which activities of a kind has a member?"""

    imis_id: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class StillThere:
    """Is there an activity under this SEQN?"""

    seqn: str


@dataclass(frozen=True, slots=True)
class OnRecord:
    """Is this entry of the Communication Log on the member's record?"""

    log_id: str
    imis_id: str


@dataclass(frozen=True, slots=True)
class Entries:
    """Which entries of the Communication Log with this subject are ours?"""

    subject: str


Question = OfMember | StillThere | OnRecord | Entries


@dataclass(frozen=True, slots=True)
class Candidate:
    """An activity that iMIS holds, as iMIS tells it."""

    seqn: str
    imis_id: str
    kind: str
    transaction_date: datetime | None
    number: str = field(repr=False)
    note: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What our own ledger knows about the same members."""

    taken: frozenset[str] = frozenset()
    """SEQNs that belong to other effects."""
    open: Sequence[Effect] = ()
    """Effects that may be in iMIS without a SEQN that we know."""


Answer = list[Candidate] | Mapping[UUID, str] | bool | NoAnswer | Ambiguous | LoginRefused
"""A member's activities; our entries' ids by their effects; yes or no; or why there is none."""


def question_of(effect: Effect) -> Question:
    """Return what iMIS is asked about an effect in doubt."""
    if effect.seqn is not None:
        return StillThere(effect.seqn)
    if effect.kind is not Kind.LOG:
        return OfMember(effect.imis_id, effect.kind)
    if effect.log_id is not None:
        return OnRecord(effect.log_id, effect.imis_id)
    return Entries(effect.subject)


def judge(effect: Effect, answer: Answer, around: Surroundings) -> Look:
    """Say what the answer to its question means for an effect in doubt."""
    match answer:
        case LoginRefused():
            return NoAnswer()
        case NoAnswer() | Ambiguous():
            return answer
        case bool():
            if effect.seqn is not None:
                return Present() if answer else Deleted()
            return Written(effect.log_id or "") if answer else Absent()
        case list():
            return recognise(effect, answer, around)
        case Mapping():
            log_id = answer.get(effect.effect_id)
            return Absent() if log_id is None else Opened(log_id)
        case _:
            assert_never(answer)


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
        found.number == effect.to
        and found.imis_id in {"", effect.imis_id}
        and found.kind in {"", effect.kind}
    )


def _is_near(effect: Effect, found: Candidate) -> bool:
    """Whether it may be the effect, though its time isn't the one that we wrote."""
    if found.transaction_date is None:
        return True
    distance = abs(found.transaction_date - _second(effect))
    return not distance or (distance <= NEAR and found.note == effect.text)


def _is_rival(effect: Effect, other: Effect) -> bool:
    return (
        other.key != effect.key
        and other.seqn is None
        and (other.kind, other.imis_id, other.to) == (effect.kind, effect.imis_id, effect.to)
        and _second(other) == _second(effect)
    )
