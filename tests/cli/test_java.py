"""Which Java runs the broker, and what is said about one that cannot."""

from pathlib import Path

import pytest

from textmanager.engines.java import java
from textmanager.errors import UserError


def fake_java(home: Path, version: str) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


def test_the_java_of_the_wheel_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXTMANAGER_JAVA", raising=False)
    assert java().exists()


@pytest.mark.parametrize("version", ["17.0.15", "21", "25.0.2"])
def test_a_new_enough_java_is_taken(tmp_path: Path, version: str) -> None:
    program = fake_java(tmp_path, version)
    assert java(str(tmp_path)) == program
    assert java(str(program)) == program


@pytest.mark.parametrize(("version", "told"), [("1.8.0_392", "Java 8"), ("11.0.2", "Java 11")])
def test_an_old_java_is_refused(tmp_path: Path, version: str, told: str) -> None:
    fake_java(tmp_path, version)
    with pytest.raises(UserError, match=rf"is {told}, and Apache Kafka needs 17 or newer"):
        java(str(tmp_path))


def test_a_missing_java_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no java program there"):
        java(str(tmp_path / "nowhere"))
