"""What lies among the dead letters, and what operators have decided of it."""

import getpass
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from chassis import letters as said
from contracts.envelope import type_of

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

State = Literal["open", "replayed", "dropped"]
WIDEST_TYPE = 60


class Decision(BaseModel):
    """An operator's word on one dead letter; the newest counts, and all are kept."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    letter: int
    decision: Literal["replayed", "dropped"]
    at: AwareDatetime
    by: str
    why: str = ""
    letters_known: int
    """How many letters there were: what came later, the operator had not seen."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that a service could not handle; its number is its offset."""

    number: int
    at: datetime
    service: str
    subscription: str
    type: str
    reason: str
    detail: str
    topic: str
    partition: int
    offset: int
    attempt: int
    """How often it has failed, this time included."""
    again_of: int | None
    """The letter that was replayed and became this one."""
    delivery: str
    truncated: bool
    size: int
    repeats: tuple[int, ...] = ()
    """The numbers of letters that say the same once more, as a service died before it knew."""
    decision: Decision | None = None

    @classmethod
    def of(cls, record: "ConsumerRecord[bytes, bytes]", *, prefix: str = "") -> Self:
        """Read a record of the dead letters' topic."""
        texts = said.texts(record.headers)
        origin = said.told(record)
        return cls(
            number=record.offset,
            at=datetime.fromtimestamp(record.timestamp / 1000, UTC),
            service=printable(texts.get(said.SERVICE, "")),
            subscription=printable(texts.get(said.SUBSCRIPTION, "")),
            type=printable(type_of(said.with_values(record.headers)))[:WIDEST_TYPE],
            reason=printable(texts.get(said.REASON, "")),
            detail=printable(texts.get(said.DETAIL, "")),
            topic=printable(origin.topic.removeprefix(prefix)),
            partition=origin.partition,
            offset=origin.offset,
            attempt=max(1, origin.attempts),
            again_of=int(origin.letter) if origin.letter.isdecimal() else None,
            delivery=origin.delivery,
            truncated=said.TRUNCATED in texts,
            size=len(record.value or b""),
        )

    @property
    def state(self) -> State:
        """Whether someone has decided what becomes of it."""
        return "open" if self.decision is None else self.decision.decision

    @property
    def numbers(self) -> tuple[int, ...]:
        """Every number that it goes by."""
        return (self.number, *self.repeats)

    @property
    def failure(self) -> tuple[object, ...]:
        """What makes two letters the same failure, told twice."""
        return (
            self.service,
            self.subscription,
            self.topic,
            self.partition,
            self.offset,
            self.delivery,
        )


def printable(text: str) -> str:
    """Return a text that does nothing to a terminal: whoever wrote the record chose the bytes."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which letters are meant; what is empty leaves nothing out."""

    topic: str = ""
    reason: str = ""
    service: str = ""

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        return (
            self.topic in ("", letter.topic)
            and self.reason in ("", letter.reason)
            and self.service in ("", letter.service)
        )


def decision_in(record: "ConsumerRecord[bytes, bytes]") -> Decision | None:
    """Read a record of the decisions' topic; None for what no tool of ours wrote."""
    try:
        return Decision.model_validate_json(record.value or b"")
    except ValidationError:
        return None


async def gathered(
    found: AsyncIterable[Letter], decisions: Iterable[Decision]
) -> dict[int, Letter]:
    """Return each failure once, by its first number, with the newest decision on it.

    A letter that repeats one which was decided on before it came is a new one: nobody has seen it.
    """
    newest: dict[int, Decision] = {}
    for decision in decisions:
        newest[decision.letter] = decision
    kept: dict[int, Letter] = {}
    first: dict[tuple[object, ...], int] = {}
    async for letter in found:
        earlier = kept.get(first.get(letter.failure, -1))
        if earlier is not None and _covers(earlier, letter):
            own = newest.get(letter.number)
            kept[earlier.number] = replace(
                earlier,
                repeats=(*earlier.repeats, letter.number),
                decision=max(
                    (each for each in (earlier.decision, own) if each is not None),
                    key=lambda each: each.at,
                    default=None,
                ),
            )
            continue
        first[letter.failure] = letter.number
        kept[letter.number] = replace(letter, decision=newest.get(letter.number))
    return kept


def _covers(earlier: Letter, later: Letter) -> bool:
    return earlier.decision is None or later.number < earlier.decision.letters_known


def operator() -> str:
    """Return the login of who runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return "unknown"
