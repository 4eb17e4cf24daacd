"""What a reader sees as one character: a phone that shows half of one shows rubbish.

The standard library has no grapheme rule, so this is a small one after Unicode's UAX #29. It keeps
together: surrogate pairs, combining and spacing marks, variation selectors, keycaps, skin tones,
flags (pairs of regional indicators, and tag sequences such as Scotland's), emoji joined by ZWJ,
CR LF, and the vowels and finals of decomposed Korean syllables. It leaves out Indic conjuncts and
prepended marks, which show legibly though apart; marks newer than Python's Unicode are unknown.
"""

import re
import unicodedata
from collections.abc import Iterator

_ZWJ = "\u200d"
_FIRST_MARK = "\u0300"
_MARKS = frozenset({"Mn", "Me", "Mc"})
# These extend the character before them without being marks: ZWNJ, ZWJ, Thai and Lao AM, Korean
# vowels and finals, half-width voicing, skin tones, tags.
_OTHER_EXTENDERS = re.compile(
    "[\u200c\u200d\u0e33\u0eb3\u1160-\u11ff\uff9e\uff9f\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)
_PICTOGRAPH = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_REGIONAL_INDICATOR = re.compile("[\U0001f1e6-\U0001f1ff]")
# The characters met most that take one code unit and join nothing before them: Latin, Greek,
# Cyrillic, punctuation, kana, Han. A run of them needs no look at each, up to the last: what
# follows the run may join that one.
_PLAIN = (
    "\x00-\x09\x0b\x0c\x0e-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e"
    "\u20a0-\u20bf\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff"
)
_STRETCH = re.compile(f"([{_PLAIN}]+(?![^{_PLAIN}]))|[{_PLAIN}]?[^{_PLAIN}]+")


def stretches(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a text where graphemes end, into long pieces, quickly.

    The flag says that in this piece each character is a grapheme, of one UTF-16 code unit.
    """
    for stretch in _STRETCH.finditer(text):
        yield stretch[0], stretch[1] is not None


def graphemes(text: str) -> Iterator[str]:
    """Cut a text into what its reader sees as characters; joined again they are the text."""
    start = 0
    for index in range(1, len(text)):
        if not _is_inside(text, start, index):
            yield text[start:index]
            start = index
    if text:
        yield text[start:]


def _is_inside(text: str, start: int, index: int) -> bool:
    """Whether the character at index belongs to the grapheme that began at start."""
    before, char = text[index - 1], text[index]
    if char < _FIRST_MARK:
        return char == "\n" and before == "\r"
    if before in "\r\n":
        return False
    if unicodedata.category(char) in _MARKS or _OTHER_EXTENDERS.match(char):
        return True
    if before == _ZWJ:
        return bool(_PICTOGRAPH.match(char) and _PICTOGRAPH.match(text[start]))
    # Flags are pairs: a third indicator begins the next flag.
    return bool(
        index - start == 1 and _REGIONAL_INDICATOR.match(char) and _REGIONAL_INDICATOR.match(before)
    )
