"""The jar cache: complete or not at all, and never a jar that was not pinned."""

import hashlib
import threading
from pathlib import Path

import pytest

from textmanager.engines import jars
from textmanager.errors import UserError

CONTENTS = {"org/a/one/1.0/one-1.0.jar": b"first", "org/b/two/2.0/two-2.0.jar": b"second"}


class FakeRepository:
    """A Maven repository that counts what is asked of it."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def __call__(self, jar: jars.Jar, staging: Path) -> Path:
        self.asked.append(str(jar.path))
        target = staging / jar.path.name
        target.write_bytes(self.contents[str(jar.path)])
        return target


@pytest.fixture
def checksums(tmp_path: Path) -> Path:
    lines = [f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in CONTENTS.items()]
    file = tmp_path / "pins.sha256"
    file.write_text("".join(lines))
    return file


def test_fetches_once_and_then_needs_no_repository(tmp_path: Path, checksums: Path) -> None:
    repository = FakeRepository(CONTENTS)
    first = jars.ensure(tmp_path / "cache", checksums=checksums, fetch=repository)
    second = jars.ensure(tmp_path / "cache", checksums=checksums, fetch=repository)
    assert [path.read_bytes() for path in first] == [b"first", b"second"]
    assert second == first
    assert len(repository.asked) == 2


def test_a_jar_that_is_not_the_pinned_one_is_refused(tmp_path: Path, checksums: Path) -> None:
    forged = FakeRepository({**CONTENTS, "org/b/two/2.0/two-2.0.jar": b"forged"})
    with pytest.raises(UserError, match=r"two-2\.0\.jar is not the pinned one .* try again"):
        jars.ensure(tmp_path / "cache", checksums=checksums, fetch=forged)
    assert not list((tmp_path / "cache").rglob("two-2.0.jar"))
    assert not list((tmp_path / "cache").rglob("verified.json"))


def test_goes_on_after_a_failed_download(tmp_path: Path, checksums: Path) -> None:
    forged = FakeRepository({**CONTENTS, "org/b/two/2.0/two-2.0.jar": b"forged"})
    with pytest.raises(UserError):
        jars.ensure(tmp_path / "cache", checksums=checksums, fetch=forged)
    honest = FakeRepository(CONTENTS)
    paths = jars.ensure(tmp_path / "cache", checksums=checksums, fetch=honest)
    assert [path.read_bytes() for path in paths] == [b"first", b"second"]


def test_a_truncated_jar_is_fetched_again(tmp_path: Path, checksums: Path) -> None:
    repository = FakeRepository(CONTENTS)
    first, _ = jars.ensure(tmp_path / "cache", checksums=checksums, fetch=repository)
    first.write_bytes(b"fir")
    jars.ensure(tmp_path / "cache", checksums=checksums, fetch=repository)
    assert first.read_bytes() == b"first"
    assert repository.asked.count("org/b/two/2.0/two-2.0.jar") == 1


def test_several_starts_at_once_download_each_jar_once(tmp_path: Path, checksums: Path) -> None:
    repository = FakeRepository(CONTENTS)
    found: list[list[Path]] = []

    def start() -> None:
        found.append(jars.ensure(tmp_path / "cache", checksums=checksums, fetch=repository))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert sorted(repository.asked) == sorted(CONTENTS)


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMANAGER_MAVEN_URL", "http://127.0.0.1:1/")
    jar = jars.pinned()[0]
    with pytest.raises(UserError, match="check the network or the proxy settings"):
        jars.fetch_with_jgo(jar, tmp_path)


def test_the_committed_list_pins_a_broker_and_a_binding() -> None:
    found = {jar.coordinates for jar in jars.pinned()}
    assert tuple(jars.KAFKA.split(":")) in found
    assert tuple(jars.SLF4J_BINDING.split(":")) in found
    assert all(len(jar.sha256) == 64 for jar in jars.pinned())
