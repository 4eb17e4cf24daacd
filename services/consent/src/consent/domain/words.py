"""The words that opt out and in, and the texts that a person should read (TM-20)."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Asks(StrEnum):
    """What a member's text asks for."""

    STOP = "stop"
    START = "start"
    PERHAPS_STOP = "perhaps_stop"
    """It reads like a wish to be left alone; a person decides."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a text asks for, and by which of our words; never the text itself."""

    asks: Asks
    word: str = ""


STOP_WORDS: Final = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"}
)
"""https://help.twilio.com/articles/223134027; the FCC's are among them (47 CFR 64.1200(a)(10))."""
START_WORDS: Final = frozenset({"START", "UNSTOP"})
"""YES is none of ours: toll-free networks don't take it, and people say it to much else."""
_IN_TWO_WORDS: Final = {"OPT OUT": "OPTOUT", "STOP ALL": "STOPALL"}
_ADVANCED: Final = {
    "STOP": Wish(Asks.STOP, "STOP"),
    "START": Wish(Asks.START, "START"),
    "HELP": Wish(Asks.NOTHING),
}
"""What Twilio's OptOutType says: with Advanced Opt-Out a customer chooses other words."""

_NOT_A_WISH: Final = (
    r"(?!\s+(?:by|signs?|lights?|(?:at|in|over|for)(?!\s+(?:once|all|good|ever|now)\b))\b)"
)
"""Who stops by, or for a coffee, goes on getting texts; who wants it to stop at once doesn't."""
_PERHAPS: Final = re.compile(
    rf"""
      (?<!non[- ]) (?<!bus\ ) \b(?:stop+|quit|cease)\b {_NOT_A_WISH}
    | \bunsu[bs]\w* | \bopt(?:ed|ing)?[- ]?(?:me\ )?out\b
    | \b(?:do\ not|don'?t|dont|never|no\ more|no\ longer)\b .{{0,30}}
      \b(?:text|txt|messag|contact|send|sms|bother|want)
    | \bno\ more(?:\ please)?\W*$
    | \b(?:remove|delete|drop|take)\s+(?:me|my)\b | \bget\s+me\s+(?:off|out)\b
    | \bcancel\b .{{0,30}} \b(?:text|messag|sms|subscription|these|this|all)
    | \bleave\ me\ alone\b | \blose\ my\ number\b | \bnot\ interested\b
    | \bwrong\ (?:number|person)\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def wish_of(text: str, *, opt_out_type: str = "") -> Wish:
    """Say what a text asks for: a word of ours stands alone, in any case and punctuation."""
    if (told := _ADVANCED.get(opt_out_type.strip().upper())) is not None:
        return told
    plain = _without_marks("Cf", unicodedata.normalize("NFKC", text)).replace("’", "'")
    only = _bare(plain).upper()
    word = _IN_TWO_WORDS.get(re.sub(r"[\s-]+", " ", only), only)
    if word in STOP_WORDS:
        return Wish(Asks.STOP, word)
    if word in START_WORDS:
        return Wish(Asks.START, word)
    unaccented = _without_marks("Mn", unicodedata.normalize("NFKD", plain))
    return Wish(Asks.PERHAPS_STOP if _PERHAPS.search(unaccented) else Asks.NOTHING)


def _without_marks(category: str, text: str) -> str:
    """Leave out characters that nobody sees (Cf), or that only stand on others (Mn)."""
    return "".join(each for each in text if unicodedata.category(each) != category)


def _bare(text: str) -> str:
    """Leave out what stands around the words: white space, punctuation, pictures."""
    begin, end = 0, len(text)
    while begin < end and not text[begin].isalnum():
        begin += 1
    while end > begin and not text[end - 1].isalnum():
        end -= 1
    return text[begin:end]
