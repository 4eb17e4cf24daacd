"""A row of an IQA: whose it is, the number in it, and everything that a text may merge."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from textwrap import shorten
from typing import Protocol

from pydantic_core import to_json

from audience.domain.failures import Unusable
from contracts.events.campaign import Audience
from texting.template import Template, unknown_fields
from texting.values import localized

LONGEST_LIST = 2000
"""Characters of the columns' names that a sentence for staff lists."""

_ALL_TEXT: Mapping[str, str] = {}


@dataclass(frozen=True, repr=False)
class Row:
    """One row; `number` counts the run's stored rows from 1.

    `values` are what a text merges: text as it was given, dates, money and numbers as the
    organisation's locale writes them. The id, the phone and the zone stay as they were given.
    """

    number: int
    imis_id: str
    phone: str
    values: Mapping[str, str]

    @cached_property
    def contents(self) -> bytes:
        """Stands for the whole row: rows with equal contents are the same row.

        A missing value and an empty one are the same, as iMIS leaves out what a page lacks.
        """
        filled = sorted((name, value) for name, value in self.values.items() if value)
        return blake2b(to_json(filled), digest_size=16).digest()


def rows_of(
    given: Sequence[Mapping[str, str]],
    audience: Audience,
    *,
    after: int,
    is_first_page: bool,
    merged: Template | None = None,
    kinds: Mapping[str, str] = _ALL_TEXT,
    locale: str = "en-US",
) -> list[Row]:
    """Number a page's rows; raises `Unusable` if a first page lacks a column that is needed.

    Needed are the id's, the phone's and the zone's, and those that the text merges: one that was
    renamed would else be missing from everybody's text. A later page is taken as it is: a column
    that it lacks is empty in each of its rows. `kinds` says which columns are no text, in the words
    of `texting.values`.
    """
    if not given:
        return []
    wanted = [audience.id_column, audience.phone_column, audience.zone_column]
    found = {name: column_named(name, given[0]) for name in wanted if name}
    if is_first_page:
        missing = [name for name, column in found.items() if column is None]
        unmerged = () if merged is None else unknown_fields(merged, list(given[0]))
        _refuse_missing([*missing, *unmerged], given[0])
    id_column, phone_column = found.get(audience.id_column), found.get(audience.phone_column)
    as_given = set(found.values())
    shown = {name: kind for name, kind in kinds.items() if name not in as_given}
    rows = []
    for number, raw in enumerate(given, start=after + 1):
        values = {_storable(name): _storable(value) for name, value in raw.items()}
        for name, kind in shown.items():
            if name in values:
                values[name] = localized(values[name], kind=kind, locale=locale)
        imis_id = "" if id_column is None else values.get(_storable(id_column), "").strip()
        phone = "" if phone_column is None else values.get(_storable(phone_column), "")
        rows.append(Row(number, imis_id, phone, values))
    return rows


def checksum_of(rows: Iterable[Row]) -> int:
    """Stands for rows with equal contents, in any order, each as often as it is there."""
    return sum(int.from_bytes(row.contents[:8]) for row in rows)


class Known(Protocol):
    """Contents of rows that are known already."""

    def __contains__(self, contents: bytes, /) -> bool: ...

    def add(self, contents: bytes, /) -> None:
        """Know these contents too."""


def not_among(rows: Iterable[Row], known: Known, *, after: int) -> list[Row]:
    """Keep the rows whose contents are new, each once, numbered anew; adds them to `known`."""
    fresh: list[Row] = []
    for row in rows:
        if (contents := row.contents) not in known:
            known.add(contents)
            fresh.append(Row(after + len(fresh) + 1, row.imis_id, row.phone, row.values))
    return fresh


def column_named(wanted: str, names: Iterable[str]) -> str | None:
    """Find a column as merge fields do: spelled so, else the only one alike but for case."""
    alike = {name for name in names if name.strip().casefold() == wanted.strip().casefold()}
    if wanted in alike:
        return wanted
    return alike.pop() if len(alike) == 1 else None


def _refuse_missing(missing: Sequence[str], names: Iterable[str]) -> None:
    if missing:
        gone = " and no column ".join(dict.fromkeys(missing))
        there = shorten(", ".join(names), LONGEST_LIST, placeholder=" …")
        raise Unusable(
            f"The audience has no column {gone} any more. Its columns are: {there}. Choose the "
            "columns anew, mend the merge fields of the text, or mend the aliases in iMIS."
        )


def _storable(text: str) -> str:
    """Leave out what no database and no JSON takes: NUL, and halves of characters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\x00", "")
