"""TM-20: which texts opt out, which opt in, which a person reads, and which mean nothing."""

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from consent.domain.words import START_WORDS, STOP_WORDS, Asks, wish_of

CASES = sorted(STOP_WORDS | START_WORDS)
SPACE = st.text(st.sampled_from(" \t\r\n\u00a0\u200b"), max_size=4)
CLOSING = st.text(st.sampled_from(".!?,;:)\"'… "), max_size=5)


@st.composite
def in_any_case(draw: st.DrawFn, words: frozenset[str]) -> tuple[str, str]:
    word = draw(st.sampled_from(sorted(words)))
    flips = draw(st.lists(st.booleans(), min_size=len(word), max_size=len(word)))
    typed = "".join(c.lower() if flip else c for c, flip in zip(word, flips, strict=True))
    return word, typed


@given(in_any_case(STOP_WORDS), SPACE, CLOSING, SPACE)
@profile(deadline=None)
def test_a_stop_word_alone_opts_out(
    word: tuple[str, str], before: str, closing: str, after: str
) -> None:
    wish = wish_of(before + word[1] + closing + after)
    assert (wish.asks, wish.word) == (Asks.STOP, word[0])


@given(in_any_case(START_WORDS), SPACE, CLOSING, SPACE)
@profile(deadline=None)
def test_a_start_word_alone_opts_in(
    word: tuple[str, str], before: str, closing: str, after: str
) -> None:
    wish = wish_of(before + word[1] + closing + after)
    assert (wish.asks, wish.word) == (Asks.START, word[0])


@given(
    st.sampled_from(CASES),
    st.text(st.sampled_from("abcxyzéж "), min_size=1, max_size=30).filter(str.strip),
    st.booleans(),
)
@profile(deadline=None)
def test_a_word_among_others_decides_nothing_by_itself(word: str, rest: str, first: bool) -> None:
    if f"{word} {rest}".split() in (["STOP", "all"], ["OPT", "out"]):
        return
    wish = wish_of(f"{word} {rest}" if first else f"{rest} {word}")
    assert wish.asks in (Asks.NOTHING, Asks.PERHAPS_STOP)
    assert wish.word == ""


@given(st.text(max_size=200), st.text(max_size=10))
@profile(deadline=None)
def test_any_text_is_judged_and_no_text_is_kept_as_a_word(text: str, kind: str) -> None:
    wish = wish_of(text, opt_out_type=kind)
    assert wish.word in STOP_WORDS | START_WORDS | {""}
    assert bool(wish.word) == (wish.asks in (Asks.STOP, Asks.START))


@pytest.mark.parametrize(
    "text",
    ["Stop.", "STOP!!!", " stop\n", "“Stop”", "ＳＴＯＰ", "Stop 🛑", "opt out", "ST\u200bOP"],
)
def test_so_do_people_type_it(text: str) -> None:
    assert wish_of(text).asks is Asks.STOP


@pytest.mark.parametrize(
    "text",
    [
        "please stop texting me",
        "Stop texting me",
        "STOP PLEASE",
        "ok stop",
        "Don’t text me again",
        "do not contact this number",
        "unsubscribe me",
        "Take me off your list",
        "remove my number",
        "Wrong number",
        "I no longer want these messages",
        "leave me alone!!",
        "cancel these texts",
        "opt me out",
        "STOPP",
        "Stóp",
        "stop at once!",
        "stop for good",
        "Stop for now",
        "unsubcribe",
        "No more, please. no more",
        "get me off this list",
    ],
)
def test_a_wish_in_other_words_goes_to_a_person(text: str) -> None:
    assert wish_of(text).asks is Asks.PERHAPS_STOP


@pytest.mark.parametrize(
    "text",
    [
        "Stop by our booth",
        "I'll stop by at noon",
        "We stop for lunch at one",
        "Get my coat",
        "A non-stop party",
        "see you at the bus stop",
        "YES",
        "help",
        "thanks!",
        "The end of the year is near",
        "",
        "\x00",
        "🌞" * 1600,
    ],
)
def test_what_is_no_wish_to_be_left_alone_is_left_alone(text: str) -> None:
    assert wish_of(text).asks is Asks.NOTHING


@pytest.mark.parametrize(
    ("kind", "asks"),
    [("STOP", Asks.STOP), ("start", Asks.START), ("HELP", Asks.NOTHING), ("", Asks.STOP)],
)
def test_what_twilio_says_of_the_word_counts(kind: str, asks: Asks) -> None:
    assert wish_of("STOP", opt_out_type=kind).asks is asks


def test_a_word_of_the_customer_s_own_counts_by_twilio_s_word() -> None:
    wish = wish_of("ARRETEZ", opt_out_type="STOP")
    assert (wish.asks, wish.word) == (Asks.STOP, "STOP")
