"""An iMIS and a clock in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.imis_writer.facts import MEMBER, NOON

from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.domain.doubts import (
    Answer,
    Candidate,
    Entries,
    OfMember,
    OnRecord,
    Question,
    StillThere,
)
from imis_writer.domain.effects import Effect, Kind
from imis_writer.domain.outcomes import (
    Ambiguous,
    Deleted,
    Doubtful,
    NoAnswer,
    Opened,
    Outcome,
    Written,
)


@dataclass
class Clock:
    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


def candidate(seqn: str = "7", **more: Any) -> Candidate:
    given: dict[str, Any] = {
        "seqn": seqn,
        "imis_id": "101",
        "kind": Kind.TEXTMSG.value,
        "transaction_date": NOON.replace(microsecond=0),
        "number": MEMBER,
        "note": "Hello Zoë",
    }
    return Candidate(**(given | more))


@dataclass
class FakeImis:
    """Keeps what is written; `plan` says how the next writes go, then all go well.

    `well` is done and answered, `lost` is done and not answered.
    """

    plan: list[Outcome | str] = field(default_factory=list)
    held: list[Candidate] = field(default_factory=list)
    entries: dict[str, tuple[str, UUID]] = field(default_factory=dict)
    on_record: list[tuple[str, str]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    requests: int = 0
    instead: NoAnswer | Ambiguous | None = None
    """What it answers to every question."""
    opened: int = 0
    meanwhile: Callable[[], Any] | None = None
    """Happens while a request is under way."""

    async def write(self, wanted: Effect) -> Outcome:
        self.requests += 1
        step = self.plan.pop(0) if self.plan else "well"
        if not isinstance(step, str):
            return step
        done = self._do(wanted)
        if self.meanwhile is not None:
            await self.meanwhile()
        return done if step == "well" else Doubtful()

    def _do(self, wanted: Effect) -> Outcome:
        if wanted.seqn is not None:
            self.held = [each for each in self.held if each.seqn != wanted.seqn]
            self.deleted.append(wanted.seqn)
            return Deleted()
        if wanted.kind is Kind.LOG:
            return self._log(wanted)
        seqn = str(len(self.held) + len(self.deleted) + 1)
        sent_at = wanted.transaction_date.replace(microsecond=0)
        self.held.append(
            candidate(
                seqn,
                imis_id=wanted.imis_id,
                kind=wanted.kind.value,
                transaction_date=sent_at,
                number=wanted.to,
                note=wanted.text,
            )
        )
        return Written(seqn)

    def _log(self, wanted: Effect) -> Outcome:
        if wanted.log_id is None:
            log_id = str(len(self.entries) + 1)
            self.entries[log_id] = (wanted.subject, wanted.effect_id)
            return Opened(log_id)
        self.on_record.append((wanted.log_id, wanted.imis_id))
        return Written(wanted.log_id)

    async def ask(self, question: Question) -> Answer:
        if self.instead is not None:
            return self.instead
        match question:
            case OfMember(imis_id, kind):
                return [e for e in self.held if (e.imis_id, e.kind) == (imis_id, kind.value)]
            case StillThere(seqn):
                return any(each.seqn == seqn for each in self.held)
            case OnRecord(log_id, imis_id):
                return (log_id, imis_id) in self.on_record
            case Entries(subject):
                return {
                    effect_id: log_id
                    for log_id, (told, effect_id) in self.entries.items()
                    if told == subject
                }

    async def site(self, organization: OrganizationSettingsChanged) -> "FakeImis":
        return self

    async def forget(self, organization_id: UUID) -> None:
        self.opened += 1


@dataclass
class FakeOrganizations:
    known: dict[UUID, OrganizationSettingsChanged] = field(default_factory=dict)

    async def get(self, organization_id: UUID) -> OrganizationSettingsChanged | None:
        return self.known.get(organization_id)
