"""Merge fields: what an author writes once, and each member reads with their own values.

    Hello ${FullName},              the column whose alias is FullName
    Hello ${First Name|member},     "member" where the value is missing or blank
    ${Title|} ${Last Name}          an empty fallback: the field is optional
    $${FullName}                    the literal text ${FullName}
    You owe $$${Balance}            a literal $, then the value

In a run of dollars before "{" each pair is one literal dollar, and one left over opens a field.
A dollar anywhere else is only a dollar. Names and fallbacks are trimmed, and hold no "}"; a name
holds no "|".

A name means the column whose alias is spelled exactly so. Where there is none, it means the one
column that differs only in upper and lower case or in surrounding blanks; if several do, none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

_OPENING = re.compile(r"(\$+)\{")


class TemplateError(ValueError):
    """The author's text can't be read; the sentence says why and where."""

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(message)
        #: Where the faulty field begins; the first character is 1.
        self.position = position


class Rendered(NamedTuple):
    """One member's text, and the fields that had neither a value nor a fallback."""

    text: str
    missing: tuple[str, ...]


class _Slot(NamedTuple):
    """A place for a value; ``fallback`` is None where the author gave none."""

    piece: int
    name: str
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with merge fields, parsed once and rendered for each member."""

    source: str
    fields: tuple[str, ...] = field(compare=False)
    _pieces: tuple[str, ...] = field(compare=False, repr=False)
    _slots: tuple[_Slot, ...] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an author's text; raise TemplateError for an unclosed or unnamed field."""
        pieces: list[str] = []
        slots: list[_Slot] = []
        done = 0
        while (opening := _OPENING.search(text, done)) is not None:
            literal_dollars, opens = divmod(len(opening[1]), 2)
            pieces.append(text[done : opening.start()] + "$" * literal_dollars)
            if not opens:
                pieces.append("{")
                done = opening.end()
                continue
            name, fallback, done = _read_field(text, opening.end())
            slots.append(_Slot(len(pieces), name, fallback))
            pieces.append("")
        pieces.append(text[done:])
        names = tuple(dict.fromkeys(slot.name for slot in slots))
        return cls(source=text, fields=names, _pieces=tuple(pieces), _slots=tuple(slots))

    def render(self, values: Mapping[str, str]) -> Rendered:
        """Merge one member's values, by column alias; a value is text and is never expanded."""
        pieces = list(self._pieces)
        missing: list[str] | None = None
        for piece, name, fallback in self._slots:
            value = values.get(name)
            if value is None:
                value = _value_of_any_case(name, values)
            if value and not value.isspace():
                pieces[piece] = value
            elif fallback is not None:
                pieces[piece] = fallback
            elif missing is None:
                missing = [name]
            else:
                missing.append(name)
        return Rendered("".join(pieces), tuple(dict.fromkeys(missing)) if missing else ())


def unknown_fields(template: Template, columns: Sequence[str]) -> tuple[str, ...]:
    """Say which of the template's fields, in order, mean none of these column aliases."""
    return tuple(name for name in template.fields if _matching(name, columns) is None)


def _read_field(text: str, start: int) -> tuple[str, str | None, int]:
    position = start - 1  # "${" ends at start, and people count from 1.
    end = text.find("}", start)
    content = text[start:end]
    # "${Name, see ${Date}" would otherwise swallow the second field into the first one's name.
    if end < 0 or "${" in content:
        raise TemplateError(
            f'The merge field that begins at character {position} has no closing "}}".',
            position=position,
        )
    name, bar, fallback = content.partition("|")
    if not (name := name.strip()):
        raise TemplateError(
            f"The merge field at character {position} has no name.", position=position
        )
    return name, fallback.strip() if bar else None, end + 1


def _value_of_any_case(name: str, values: Mapping[str, str]) -> str | None:
    column = _matching(name, values)
    return None if column is None else values[column]


def _matching(name: str, columns: Iterable[str]) -> str | None:
    wanted = name.casefold()
    alike = {column for column in columns if column.strip().casefold() == wanted}
    if name in alike:
        return name
    return alike.pop() if len(alike) == 1 else None
