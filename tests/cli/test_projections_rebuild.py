"""What `textmanager projections rebuild` says of a rebuild."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from projections.comparison import Difference
from projections.progress import Rebuilt
from textmanager.errors import UserError
from textmanager.projections_rebuild import as_dict, run, show


def rebuilt(*differences: Difference, gaps: int = 0, ahead: int = 0) -> Rebuilt:
    return Rebuilt(
        former=2,
        generation=3,
        events=100_000,
        seconds=2.0,
        gaps=gaps,
        ahead=ahead,
        differences=list(differences),
        removed=[1],
    )


def said(result: Rebuilt) -> str:
    console = Console(file=io.StringIO(), width=120, highlight=False)
    show(console, result)
    file = console.file
    assert isinstance(file, io.StringIO)
    return " ".join(file.getvalue().split())


def test_the_same_tables_are_said_to_be_the_same() -> None:
    words = said(rebuilt(Difference("runs", before=3, after=3)))
    assert "Generation 3 serves now: 100000 events in 2.0 s, 50,000 events/s." in words
    assert "Generation 2 is kept until the next rebuild." in words
    assert "generation 1" in words
    assert "The new read models are the same as the former ones." in words
    assert "incomplete" not in words


def test_what_differs_is_counted_and_named() -> None:
    found = Difference(
        "messages", before=4, after=4, missing=1, added=1, changed=1, columns={"segments": 1}
    )
    found.note(["a-key"])
    words = said(rebuilt(found, gaps=2, ahead=5))
    assert "messages 4 4 3 1 missing, 1 new, 1 changed, segments: 1; a-key" in words
    assert "incomplete: 2 records" in words
    assert "5 events behind" in words
    assert "the same as" not in words


def test_json_says_all_of_it() -> None:
    told = as_dict(rebuilt(Difference("runs", before=1, after=0, missing=1)))
    assert (told["differs"], told["events_per_second"]) == (True, 50_000)
    assert told["differences"][0]["missing"] == 1
    assert as_dict(rebuilt(Difference("runs")))["differs"] is False


def test_no_more_than_ten_keys_are_named() -> None:
    found = Difference("runs")
    for number in range(20):
        found.note([number])
    assert found.keys == [str(number) for number in range(10)]


def test_a_read_model_that_is_none_is_answered_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"campaigns, skipped, runs, .*charges"):
        run(tmp_path, "nothing", as_json=False)
