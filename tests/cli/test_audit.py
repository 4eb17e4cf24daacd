"""A message's history: whole whatever order it is read in, and fit for a terminal."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts import ids
from contracts.envelope import Envelope
from contracts.events import BY_TYPE
from contracts.events.base import Event
from contracts.personal import personal_fields
from textmanager.audit import as_json, history
from textmanager.audit_lines import Step, facts, lines
from textmanager.errors import UserError
from textmanager.eventlog import Logged

SAMPLES = Path(__file__).parents[2] / "contracts" / "samples"
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)
CHAIN = (
    "campaign.drafted.v1",
    "campaign.scheduled.v1",
    "campaign.due.v1",
    "recipients.resolved.v1",
    "message.queued.v1",
    "message.submitted.v1",
    "message.status-changed.v1",
    "activity.written.v1",
)


def sample(kind: str, **changed: Any) -> Event:
    record = json.loads((SAMPLES / f"{kind}.json").read_text())
    event = BY_TYPE[kind].model_validate(record["value"])
    return event.model_copy(update=changed)


def logged(event: Event, *, because: UUID | None = None, at: datetime = NOON) -> Logged:
    return Logged(Envelope(event, uuid4(), because), at, event.topic, 0, 0)


def chain(message: UUID, run: UUID, campaign: UUID) -> list[Logged]:
    """One message's events, each caused by the one before, and a callback of Twilio's."""
    found: list[Logged] = []
    for number, kind in enumerate(CHAIN):
        wanted = {"message_id": message, "run_id": run, "campaign_id": campaign}
        fields = BY_TYPE[kind].model_fields
        event = sample(kind, **{k: v for k, v in wanted.items() if k in fields})
        because = found[-1].envelope.id if found else None
        found.append(logged(event, because=because, at=NOON + timedelta(seconds=number)))
    callback = sample("twilio.callback-received.v1", message_id=message)
    return [*found, logged(callback, at=NOON + timedelta(seconds=6))]


def log_of(records: list[Logged]) -> Callable[..., AsyncIterator[Logged]]:
    """A log that holds these records."""

    async def read(
        _kafka: str,
        topics: tuple[str, ...],
        *,
        key: UUID | None = None,
        only: Callable[[bytes], bool] | None = None,
    ) -> AsyncIterator[Logged]:
        for each in records:
            subject = each.event.subject
            mine = subject == key if key is not None else only is None or only(bytes_of(subject))
            if each.topic in topics and mine:
                yield each

    return read


def bytes_of(subject: UUID) -> bytes:
    return str(subject).encode()


async def test_the_history_reaches_the_campaign_whichever_event_is_read_first() -> None:
    message, run, campaign = uuid4(), uuid4(), uuid4()
    events = chain(message, run, campaign)
    for three in permutations(events[-3:]):
        steps = await history("", message, read=log_of([*three, *events[:-3]]))
        assert [type(step.logged.event) for step in steps] == [type(e.event) for e in events]
        assert [step.depth for step in steps] == [*range(len(CHAIN)), 0]


async def test_a_record_that_came_again_is_shown_once() -> None:
    message = uuid4()
    events = chain(message, uuid4(), uuid4())
    assert len(await history("", message, read=log_of(events * 2))) == len(events)


async def test_a_row_that_never_became_a_text_has_its_reason() -> None:
    rejected = sample("recipient.rejected.v1", recipient_id=uuid4())
    log = log_of([logged(sample("recipient.rejected.v1", recipient_id=uuid4())), logged(rejected)])
    for known_as in (rejected.subject, ids.message_id(rejected.subject)):
        [step] = await history("", known_as, read=log)
        assert step.logged.event == rejected
        assert rejected.model_dump()["reason"] in facts(rejected)


async def test_an_unknown_message_is_told() -> None:
    with pytest.raises(UserError, match=r"The log has no message .*: check the id"):
        await history("", uuid4(), read=log_of(chain(uuid4(), uuid4(), uuid4())))


@pytest.mark.parametrize("width", [80, 120])
async def test_each_event_is_one_line_that_fits(width: int) -> None:
    message = uuid4()
    steps = await history("", message, read=log_of(chain(message, uuid4(), uuid4())))
    shown = lines(steps, title=f"Message {message}", width=width)
    table = shown[shown.index("") + 2 :]
    assert len(table) == len(steps)
    assert all(len(line) <= width for line in shown)
    for line, step in zip(table, steps, strict=True):
        assert type(step.logged.event).__name__ in line
        assert line.endswith(facts(step.logged.event).strip()), "nothing is cut off"
    assert ("cause" in shown[shown.index("") + 1]) == (width == 120)


async def test_a_history_of_several_days_says_which() -> None:
    due = logged(sample("campaign.due.v1"), at=NOON - timedelta(days=2))
    steps = [Step(due, 0), Step(logged(sample("message.queued.v1")), 1)]
    told = lines(steps, title="", width=80)
    assert "29 Jan 12:00:00" in told[-2]
    assert "31 Jan 12:00:00" in told[-1]


@pytest.mark.parametrize("kind", sorted(BY_TYPE))
def test_nothing_personal_is_shown(kind: str) -> None:
    event = sample(kind)
    shown = str(as_json(Step(logged(event), 0))["says"])
    for name in personal_fields(type(event)):
        value = getattr(event, name)
        assert not (isinstance(value, str) and value and value in shown)
