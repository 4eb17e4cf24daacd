"""What an opt-out, and a START after it, mean for the activities that tell of it; pure.

An activity is written for each time that a member who has opted out would have been texted, and
all of them are deleted when the member subscribes again (TM-21). What is told of a member's
consent and of the times comes by different ways, so each part is folded whenever it comes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from contracts.events.consent import Consent, ConsentChanged
from imis_writer.domain.effects import About, Effect, Key, State

NORTH_AMERICA = "+1"
"""Only where a sending number is North American does a START reach us for certain (TM-21)."""
OVER = frozenset({State.DELETED, State.MOOT, State.UNNEEDED})
"""An opt-out that is nowhere and isn't to be written."""
_UNDER_WAY = frozenset({State.CLAIMED, State.IN_DOUBT})
Moment = datetime | None
Member = tuple[UUID, str, str, str]
"""An organisation, a member's iMIS id and number, and the number that texts it."""


class Pair(NamedTuple):
    """A mobile number and a number that texts it; an empty one: all of the organisation's."""

    organization_id: UUID
    number: str
    from_number: str

    @property
    def of_all(self) -> "Pair":
        """The number, and all of the organisation's."""
        return self._replace(from_number="")


@dataclass(frozen=True, slots=True)
class Standing:
    """What was told of a pair so far."""

    sequence: int = -1
    opted_in: bool = False
    subscribed_at: datetime | None = None
    """When the member subscribed again last."""
    changed_at: datetime | None = None

    def after(self, event: ConsentChanged) -> "Standing":
        """Take what is newer; an older word changes nothing."""
        if event.sequence <= self.sequence:
            return self
        opted_in = event.consent is Consent.OPTED_IN
        since = event.occurred_at if opted_in else self.subscribed_at
        return Standing(event.sequence, opted_in, since, event.occurred_at)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A member who has opted out would have been texted."""

    message_id: UUID
    organization_id: UUID
    run_id: UUID
    campaign_id: UUID
    imis_id: str
    to: str = field(repr=False)
    from_number: str
    at: datetime
    because: UUID
    refused: bool
    """Whether Twilio said so; else it was left out by our own list."""

    @property
    def pairs(self) -> tuple[Pair, Pair]:
        """The pairs of numbers whose consent it is about."""
        return (
            Pair(self.organization_id, self.to, self.from_number),
            Pair(self.organization_id, self.to, ""),
        )

    @property
    def member(self) -> Member:
        """Who would have been texted."""
        return self.organization_id, self.imis_id, self.to, self.from_number


@dataclass(frozen=True, slots=True)
class Noted:
    """An opt-out as our ledger has it."""

    effect: Effect
    from_number: str
    state: State
    undo: bool = False
    """Whether what is under way is to be undone when it is done."""

    @property
    def counts(self) -> bool:
        """Whether iMIS has it, or is to have it."""
        if self.state in {State.READY, *_UNDER_WAY}:
            return self.deletes is self.undo
        return self.state in {State.WRITTEN, State.REFUSED, State.UNKNOWN}

    @property
    def deletes(self) -> bool:
        """Whether it is being deleted, or else written, as long as there is something to do."""
        return self.effect.seqn is not None

    @property
    def member(self) -> Member:
        """Who would have been texted."""
        effect = self.effect
        return effect.organization_id, effect.imis_id, effect.to, self.from_number

    def is_of(self, pair: Pair) -> bool:
        """Whether the consent of this pair is about it."""
        number = (self.effect.organization_id, self.effect.to)
        return number == pair[:2] and pair.from_number in {"", self.from_number}


@dataclass(frozen=True, slots=True)
class Known:
    """A member whom we texted at a number, in the newest message to it."""

    imis_id: str
    message_id: UUID
    run_id: UUID
    campaign_id: UUID
    to: str = field(repr=False)
    from_number: str


def latest_start(standings: Iterable[Standing]) -> Moment:
    """Return when the member subscribed again last, by any of the pairs."""
    return max((s.subscribed_at for s in standings if s.subscribed_at is not None), default=None)


def is_moot(attempt: Attempt, standings: Sequence[Standing]) -> bool:
    """Whether the member had subscribed again by the time of the attempt, or has since."""
    subscribed_at = latest_start(standings)
    if subscribed_at is None or not attempt.from_number.startswith(NORTH_AMERICA):
        return False
    if attempt.at < subscribed_at:
        return True
    # Our own list was behind a START; if ours is behind a STOP, that one makes it count again.
    return not attempt.refused and _newest(standings).opted_in


def after_start(noted: Noted) -> Noted:
    """Have an opt-out's activity deleted, or never written."""
    if not noted.from_number.startswith(NORTH_AMERICA):
        return noted
    match noted.state:
        case State.WRITTEN:
            return replace(noted, state=State.READY)
        case State.REFUSED if noted.deletes:
            return replace(noted, state=State.READY, effect=replace(noted.effect, refusals=0))
        case State.READY | State.REFUSED if not noted.deletes:
            return replace(noted, state=State.MOOT)
        case State.CLAIMED | State.IN_DOUBT:
            return replace(noted, undo=not noted.deletes)
        case _:
            return noted


def after_stop(noted: Noted, *, subscribed_at: Moment) -> Noted:
    """Let an attempt that came after the last START count, which we knew nothing better of."""
    if subscribed_at is None or noted.effect.transaction_date < subscribed_at:
        return noted
    match noted.state:
        case State.MOOT | State.DELETED:
            return replace(noted, state=State.READY, effect=replace(noted.effect, seqn=None))
        case State.READY if noted.deletes:
            return replace(noted, state=State.WRITTEN)
        case State.CLAIMED | State.IN_DOUBT:
            return replace(noted, undo=noted.deletes)
        case _:
            return noted


def newest_known(known: Iterable[Known], noted: Iterable[Noted], pair: Pair) -> list[Known]:
    """Return whom an opt-out is to be told of at once: each member with the number, once.

    `known` has the newest last. A member of whom an opt-out is told already is left out.
    """
    told = {each.effect.imis_id for each in noted if each.counts and each.is_of(pair)}
    # What is being deleted can't be written again at the same time: the next attempt is told.
    busy = {each.effect.key for each in noted if each.state not in OVER}
    found = {each.imis_id: each for each in known if pair.from_number in {"", each.from_number}}
    return [
        each
        for each in found.values()
        if each.imis_id not in told and Key(each.message_id, About.OPT_OUT) not in busy
    ]


def _newest(standings: Sequence[Standing]) -> Standing:
    told = [each for each in standings if each.changed_at is not None]
    return max(told, key=lambda each: (each.changed_at, not each.opted_in))
