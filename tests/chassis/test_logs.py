"""No log line holds a number, a text or a secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from chassis import logs
from contracts.events.message import MessageQueued
from contracts.generate import ROOT

SECRET = "+12025550143"


@pytest.fixture(autouse=True)
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure(service="t", instance="t-1")
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    out = capsys.readouterr().out
    assert SECRET not in out
    return [json.loads(line) for line in out.splitlines()]


def test_only_listed_fields_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    logs.get_logger().info("Sent.", message_id="m", to=SECRET, text=f"Hello {SECRET}")
    [line] = lines(capsys)
    assert line["message_id"] == "m"
    assert line["service"] == "t"
    assert "to" not in line
    assert "text" not in line


def test_an_event_is_shown_without_its_personal_fields(capsys: pytest.CaptureFixture[str]) -> None:
    sample = json.loads((ROOT / "contracts/samples/message.queued.v1.json").read_text("utf-8"))
    event = MessageQueued.model_validate(sample["value"] | {"to": SECRET})
    logs.get_logger().info("Queued.", event_id=event)
    [line] = lines(capsys)
    assert line["event_id"]["imis_id"] == "100001"  # type: ignore[index]


class Person(BaseModel):
    age: int


def test_an_exception_is_shown_by_its_class_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        Person.model_validate({"age": f"call {SECRET}"})
    except ValidationError as error:
        logs.get_logger().error("Bad.", **logs.describe(error))
        logging.getLogger("some.library").warning("Failed for %s", SECRET, exc_info=error)
    ours, theirs = lines(capsys)
    assert ours["error"] == theirs["error"] == "ValidationError"
    assert theirs["event"] == "Failed for %s"
    assert "test_logs.py" in str(ours["frames"])


def test_a_secret_never_shows() -> None:
    assert "hunter2" not in repr(SecretStr("hunter2"))
