"""X-1: a letter is counted once, and a decision hides nothing that came after it."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from hypothesis import example, given
from hypothesis import strategies as st

from chassis import letters as said
from textmanager.commands import app
from textmanager.dlq import desk_of, replay
from textmanager.dlq_letters import Decision, Filter, Letter, decision_in, gathered
from textmanager.dlq_show import shown
from textmanager.errors import UserError
from textmanager.runfile import Running
from textmanager.status import ProcessStatus, _with_letters

Headers = list[tuple[str, bytes | None]]


def record(
    number: int = 0, *, value: bytes | None = b"{", headers: Headers | None = None, offset: int = 7
) -> "ConsumerRecord[bytes, bytes]":
    """A letter of the service `status`, of the record at `offset`."""
    own: Headers = [("ce_type", b"message.queued.v1")] if headers is None else headers
    failed = plain(value, own, offset=offset)
    key, kept, all_headers = said.letter_of(
        failed,
        said.standing(failed),
        service="status",
        subscription="status.messages",
        reason="wrong_schema",
        detail="",
    )
    return plain(kept, list(all_headers), offset=number, key=key, topic="dead-letters")


def plain(
    value: bytes | None,
    headers: Headers,
    *,
    offset: int,
    key: bytes | None = b"k",
    topic: str = "message.queued",
) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=len(value or b""),
        headers=tuple(headers),
    )


def decided(number: int, *, known: int, how: str = "dropped") -> Decision:
    return Decision.model_validate(
        {
            "letter": number,
            "decision": how,
            "at": datetime(2030, 1, 1, tzinfo=UTC),
            "by": "somebody",
            "letters_known": known,
        }
    )


async def among(found: Sequence[Letter], *decisions: Decision) -> dict[int, Letter]:
    async def each() -> AsyncIterator[Letter]:
        for letter in found:
            yield letter

    return await gathered(each(), decisions)


async def test_one_failure_that_is_told_twice_is_one_letter() -> None:
    twice = [Letter.of(record(0)), Letter.of(record(1, offset=8)), Letter.of(record(2))]
    found = await among(twice)
    assert {number: each.numbers for number, each in found.items()} == {0: (0, 2), 1: (1,)}
    assert (await among(twice, decided(2, known=3)))[0].state == "dropped"


async def test_a_failure_that_comes_after_the_decision_is_open() -> None:
    found = await among([Letter.of(record(0)), Letter.of(record(5))], decided(0, known=1))
    assert {number: each.state for number, each in found.items()} == {0: "dropped", 5: "open"}


@given(
    offsets=st.lists(st.integers(0, 3), max_size=12),
    words=st.lists(st.tuples(st.integers(0, 11), st.integers(0, 13)), max_size=4),
)
async def test_no_letter_disappears_whatever_was_decided(
    offsets: list[int], words: list[tuple[int, int]]
) -> None:
    letters = [Letter.of(record(n, offset=offset)) for n, offset in enumerate(offsets)]
    found = await among(letters, *(decided(number, known=known) for number, known in words))
    numbers = sorted(number for each in found.values() for number in each.numbers)
    assert numbers == list(range(len(letters)))
    named = {number for number, _ in words}
    for each in found.values():
        assert (each.state == "open") == (not named & set(each.numbers))


def test_what_is_no_decision_of_ours_decides_nothing() -> None:
    assert decision_in(plain(b"not json", [], offset=0)) is None
    assert decision_in(plain(None, [], offset=0)) is None


@given(
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(
        st.tuples(st.text(max_size=8).filter(lambda n: "," not in n), st.none() | st.binary()),
        max_size=5,
        unique_by=lambda header: header[0],
    ),
)
@example(value=None, headers=[("", b"")])
@example(value=None, headers=[("", None)])
def test_a_letter_gives_its_record_back_as_it_was(value: bytes | None, headers: Headers) -> None:
    own = [(name, each) for name, each in headers if not name.startswith("tm-")]
    letter = record(value=value, headers=own)
    assert letter.value == value
    assert said.own_headers(letter.headers) == own


def test_a_record_too_big_for_a_letter_is_cut_and_says_so() -> None:
    big = plain(
        b"v" * 3_000_000, [("h", b"x" * 3_000_000), ("i", b"y")], offset=1, key=b"k" * 2_500_000
    )
    key, value, headers = said.letter_of(
        big, said.standing(big), service="s", subscription="s.s", reason="r", detail=""
    )
    size = len(key or b"") + len(value or b"") + sum(len(n) + len(v) for n, v in headers)
    assert size < 2 * 1024 * 1024 - 32 * 1024
    assert int(dict(headers)[said.TRUNCATED]) > 8_000_000
    assert dict(headers)[said.TOPIC] == b"message.queued"


@pytest.mark.parametrize(
    ("chosen", "takes"),
    [
        (Filter(), True),
        (Filter(service="status", topic="message.queued", reason="wrong_schema"), True),
        (Filter(service="sender"), False),
        (Filter(topic="message.submitted"), False),
        (Filter(reason="unknown_type"), False),
    ],
)
def test_letters_are_chosen_by_topic_reason_and_service(chosen: Filter, takes: bool) -> None:
    assert chosen.takes(Letter.of(record())) is takes


def test_what_a_stranger_wrote_does_nothing_to_the_terminal() -> None:
    letter = Letter.of(record(headers=[("ce_type", b"\x1b[2J" + b"x" * 500)]))
    assert "\x1b" not in letter.type
    assert len(letter.type) <= 60
    strange = shown(
        record(value=b"\x1b]0;me\x07\xff", headers=[("\x1b", b"+12025550199")]), raw=True
    )
    assert "\x1b" not in str(strange["value"]) + str(strange["headers"][0][0])
    hidden = shown(record(value=b"+12025550199", headers=[("x", b"+12025550199")]), raw=False)
    assert "+12025550199" not in str(hidden)


async def test_a_letter_that_is_not_there_is_said_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, kafka_url: str, topic_prefix: str
) -> None:
    monkeypatch.setenv("TEXTMANAGER_KAFKA_URL", kafka_url)
    monkeypatch.setenv("TEXTMANAGER_TOPIC_PREFIX", topic_prefix)
    with pytest.raises(UserError, match="There is no dead letter 3, 4"):
        await replay(desk_of(tmp_path), [4, 3], None)  # type: ignore[arg-type]


def process(name: str) -> ProcessStatus:
    running = Running(name, "service", 1, 1, "", 0, "", None)
    return ProcessStatus(running, "ready", 0)


def test_the_status_tells_each_service_s_open_letters_once() -> None:
    found = [process("sender-1"), process("sender-2"), process("status-1")]
    told = _with_letters(found, Counter({"sender": 3}))
    assert [each.dead_letters for each in told] == [3, None, 0]
    assert [each.dead_letters for each in _with_letters(found, None)] == [None, None, None]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("dlq", "replay"), "Name the letters by their numbers"),
        (("dlq", "replay", "1", "--all"), "Name the letters by their numbers"),
        (("dlq", "replay", "1", "--topic", "x"), "choose among --all"),
        (("replay", "--topic", "x", "--from", "0", "--to-service", "y"), "no service 'y'"),
    ],
)
def test_a_slip_is_one_sentence(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(UserError, match=told):
        app(list(arguments), standalone_mode=False)
