"""The contracts: every sample parses for ever, nothing drifts, nothing narrows."""

import copy
import itertools
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from contracts import generate
from contracts.compatibility import narrowings
from contracts.envelope import Undecodable, decode, encode, seal
from contracts.events import ALL_EVENTS, BY_TYPE, type_string
from contracts.events.message import MessageQueued
from contracts.events.provider import TwilioCallbackReceived
from contracts.personal import loggable, personal_fields
from contracts.topics import BY_NAME, TOPICS

SAMPLES = sorted((generate.ROOT / "contracts" / "samples").glob("*.json"))


def load(path: Path) -> tuple[dict[str, Any], list[tuple[str, bytes]], bytes]:
    sample = json.loads(path.read_text("utf-8"))
    headers = [(name, text.encode()) for name, text in sample["headers"].items()]
    return sample, headers, json.dumps(sample["value"]).encode()


def says_all_of(new: Any, old: Any) -> bool:
    """Whether everything in the old is in the new: an event may have gained optional fields."""
    if isinstance(old, dict):
        return all(key in new and says_all_of(new[key], old[key]) for key in old)
    if isinstance(old, list):
        return len(new) == len(old) and all(map(says_all_of, new, old))
    return bool(new == old)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_golden_sample_parses_and_is_written_the_same_again(path: Path) -> None:
    sample, headers, value = load(path)
    envelope = decode(headers, value)
    key, written, written_headers = encode(envelope)
    assert key.decode() == sample["key"]
    assert says_all_of(json.loads(written), sample["value"])
    assert dict(written_headers) == dict(headers)


def test_each_type_has_a_sample_and_a_topic_of_its_producer() -> None:
    assert {path.stem for path in SAMPLES} == set(BY_TYPE)
    for event in ALL_EVENTS:
        assert BY_NAME[event.topic].producer == event.source
        assert type_string(event).rsplit(".", 1)[-1].removeprefix("v").isdigit()


def test_the_generated_files_are_what_the_code_says() -> None:
    assert generate.changes() == []
    assert generate.broken_promises() == []


def test_drift_is_seen(tmp_path: Path) -> None:
    for path, text in generate.files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    assert generate.changes(tmp_path) == []
    (tmp_path / generate.ASYNCAPI).write_text("{}", "utf-8")
    assert generate.changes(tmp_path) == [str(generate.ASYNCAPI)]


def test_narrowing_is_seen() -> None:
    old = generate.schema_of(MessageQueued)
    assert narrowings(old, generate.reading_schema_of(MessageQueued)) == []

    required = copy.deepcopy(old)
    required["required"].append("brand_new")
    assert narrowings(old, required) == ["the event: `brand_new` is required now"]

    gone = copy.deepcopy(old)
    del gone["properties"]["imis_id"]
    assert narrowings(old, gone) == ["imis_id: is gone; old events still say it"]

    retyped = copy.deepcopy(old)
    retyped["properties"]["segments"]["type"] = "string"
    assert narrowings(old, retyped) == ["segments: was integer, is string"]

    fewer = copy.deepcopy(old)
    fewer["$defs"]["Mode"]["enum"] = ["LIVE"]
    assert narrowings(old, fewer) == ["mode: no longer allows ['TEST']"]


def test_unknown_fields_are_ignored_and_unknown_types_are_not() -> None:
    _, headers, value = load(next(p for p in SAMPLES if p.stem == "message.queued.v1"))
    newer = json.loads(value) | {"added_later": 1}
    assert isinstance(decode(headers, json.dumps(newer).encode()).event, MessageQueued)
    for bad_headers, bad_value, reason in [
        ([("ce_type", b"message.queued.v9"), *headers[:2]], value, "unknown_type"),
        ([], value, "unknown_type"),
        (headers, b"not json", "wrong_schema"),
        (headers, None, "wrong_schema"),
        (headers, b"{}", "wrong_schema"),
        ([("ce_type", b"message.queued.v1")], value, "bad_headers"),
        ([("ce_type", b"message.queued.v1"), ("ce_id", b"\xff")], value, "bad_headers"),
    ]:
        with pytest.raises(Undecodable) as caught:
            decode(bad_headers, bad_value)
        assert caught.value.reason == reason


def test_personal_data_is_marked_and_left_out() -> None:
    assert personal_fields(MessageQueued) == {"to", "text"}
    _, headers, value = load(next(p for p in SAMPLES if p.stem == "recipients.resolved.v1"))
    shown = json.dumps(loggable(decode(headers, value).event), default=str)
    assert "+12025550143" not in shown
    assert "Hello" not in shown
    assert "100001" in shown


def test_the_same_fact_told_twice_by_twilio_is_the_same_event() -> None:
    _, headers, value = load(next(p for p in SAMPLES if p.stem == "twilio.callback-received.v1"))
    event = decode(headers, value).event
    assert isinstance(event, TwilioCallbackReceived)
    assert seal(event).id == seal(event).id
    other = event.model_copy(update={"message_status": "sent"})
    assert seal(other).id != seal(event).id


def test_an_event_id_is_a_uuid_of_version_7_and_sorts_by_time() -> None:
    from contracts.ids import event_id

    drawn: list[UUID] = [event_id() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert all(each.version == 7 for each in drawn)
    assert all(a.int >> 80 <= b.int >> 80 for a, b in itertools.pairwise(drawn))


def test_facts_are_kept_for_ever() -> None:
    for topic in TOPICS:
        if topic.name in ("audience.preview-requested", "audience.previewed"):
            continue
        if topic.config["cleanup.policy"] != "compact":
            assert topic.config["retention.ms"] == "-1", topic.name
