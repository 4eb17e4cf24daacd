"""The ahead-of-time cache is made once, and a failure to make it harms nothing."""

from pathlib import Path

from textmanager.engines import aot
from textmanager.errors import UserError


def test_one_rehearsal_makes_it_for_every_start(tmp_path: Path) -> None:
    rehearsals: list[Path] = []

    def rehearse(state: Path, draft: Path) -> None:
        rehearsals.append(state)
        draft.write_text("archive")

    first = aot.archive(tmp_path, rehearse)
    assert first is not None
    assert first.read_text() == "archive"
    assert aot.archive(tmp_path, rehearse) == first
    assert len(rehearsals) == 1
    assert not rehearsals[0].parent.exists()


def test_a_failed_rehearsal_is_not_repeated(tmp_path: Path) -> None:
    attempts: list[Path] = []

    def rehearse(state: Path, draft: Path) -> None:
        attempts.append(draft)
        raise UserError("no luck")

    assert aot.archive(tmp_path, rehearse) is None
    assert aot.archive(tmp_path, rehearse) is None
    assert len(attempts) == 1


def test_what_an_interrupted_rehearsal_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "rehearsal" / "state" / "half"
    left.mkdir(parents=True)
    assert aot.archive(tmp_path, lambda _, draft: draft.touch()) is not None
    assert not left.exists()
