"""What a preview remembers of the rows that it met."""

from hypothesis import given
from hypothesis import strategies as st

from audience.domain.marks import Marks, digest_of

WORDS = st.lists(st.sampled_from("abcdefghijkl"), max_size=40)


@given(WORDS, WORDS, st.integers(1, 7))
def test_it_remembers_what_it_was_given_and_nothing_else(
    given_words: list[str], asked: list[str], most_unsorted: int
) -> None:
    marks = Marks(most_unsorted)
    marks.update(digest_of(word) for word in given_words)
    assert len(marks) == len(set(given_words))
    assert [digest_of(word) in marks for word in asked] == [word in given_words for word in asked]


def test_a_hundred_thousand_are_told_apart() -> None:
    marks = Marks()
    marks.update(digest_of("row", str(n)) for n in range(100_000))
    assert len(marks) == 100_000
    assert all(digest_of("row", str(n)) in marks for n in range(0, 100_000, 997))
    assert digest_of("row", "100000") not in marks


def test_words_are_told_apart_by_where_they_end() -> None:
    assert digest_of("1", "23") != digest_of("12", "3")
