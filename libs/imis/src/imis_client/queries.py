"""Query definitions and pages, read in both the 2017 and the EMS shape."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from imis_client.errors import NotFound, TryAgain
from imis_client.kinds import kind_of, kind_of_all, kind_of_type
from imis_client.models import Column, Page, Prompt
from imis_client.wire import number_of, objects, text_of

# Not columns of the query: .NET's type name and the row's number.
_NOT_COLUMNS = frozenset({"$type", "ResultRow"})
# An iMIS id and a phone.
_FEWEST_COLUMNS = 2

NO_ALIASES = (
    "No column of this query has an alias. Open the query in iMIS, go to Display, and type an "
    "Alias for the iMIS id, the mobile phone and every column to be used in the text."
)
NO_ROWS_TO_READ = (
    "The columns can't be read, because iMIS doesn't list their names and the query returns no "
    "row. Type an Alias for each column in iMIS, or choose a query that returns somebody."
)
NEEDS_PROMPTS = "The query asks for values (prompts) before it can be run; give them."


def definition_of(answer: dict[str, Any], path: str) -> dict[str, Any]:
    """Give the definition, wrapped in a result (EMS) or bare (2017)."""
    definition = answer.get("Result") if "Result" in answer else answer
    if not isinstance(definition, dict) or not definition.get("Properties"):
        raise NotFound(
            f"iMIS has no query {path}: it was moved, renamed or deleted, or its path is misspelt. "
            "Choose the query anew."
        )
    return definition


def columns_of(definition: dict[str, Any]) -> list[Column]:
    """Give the columns in the order of display; without an alias their name is iMIS's own."""
    listed = objects(definition["Properties"])
    listed.sort(key=lambda p: number_of(p.get("DisplayOrder"), 0))
    columns = []
    for listing in listed:
        alias = text_of(listing.get("Alias"))
        property_name = text_of(listing.get("PropertyName"))
        own = property_name or text_of(listing.get("Name"))
        caption = text_of(listing.get("Caption"))
        kind = kind_of_type(text_of(listing.get("DataTypeName")))
        columns.append(Column(alias or own or caption, property_name, caption, bool(alias), kind))
    return columns


def prompts_of(parameters: object) -> list[Prompt]:
    """Give the prompts in iMIS's order, which is how 2017 tells them apart."""
    return [_prompt(p) for p in objects(parameters)]


def _prompt(listing: dict[str, Any]) -> Prompt:
    property_name = text_of(listing.get("PropertyName"))
    return Prompt(
        name=text_of(listing.get("Prompt")) or property_name,
        property_name=property_name,
        operation=text_of(listing.get("Operation")),
        allow_multiple=text_of(listing.get("AllowMultiple")) == "True",
        default=text_of(listing.get("Values")),
    )


def problems_of(columns: list[Column]) -> list[str]:
    """Say what staff must mend before these columns can carry a campaign."""
    problems = []
    unnamed = [column for column in columns if not column.has_alias]
    if columns and len(unnamed) == len(columns):
        problems.append(NO_ALIASES)
    elif unnamed:
        names = ", ".join(column.caption or column.name for column in unnamed)
        problems.append(f"These columns have no alias in the query: {names}. Type one for each.")
    if len(columns) < _FEWEST_COLUMNS:
        problems.append("A query needs at least two columns: the iMIS id and the mobile phone.")
    counted = Counter(column.name for column in columns)
    if repeated := sorted(name for name, count in counted.items() if count > 1):
        problems.append(f"Several columns have the same alias: {', '.join(repeated)}.")
    return problems


def page_of(answer: dict[str, Any], *, offset: int) -> Page:
    """Read a page; every row has the same keys, a missing value is empty."""
    if "Items" not in answer:
        raise TryAgain("iMIS gave no page of rows for the query.")
    read = [_row(item) for item in objects(answer["Items"])]
    names = dict.fromkeys(name for row in read for name in row)
    rows = [{name: text_of(row.get(name)) for name in names} for row in read]
    kinds = {name: kind_of_all(kind_of(row.get(name)) for row in read) for name in names}
    end = offset + len(rows)
    total = number_of(answer.get("TotalCount"), end)
    said = answer.get("HasNext")
    has_next = bool(rows) and (end < total if said is None else said is True)
    next_offset = number_of(answer.get("NextOffset"), end)
    # A next page that does not lie ahead would be read for ever.
    ahead = next_offset if next_offset > offset else end
    return Page(rows, total, has_next, ahead, {name: kind for name, kind in kinds.items() if kind})


def filled(rows: list[dict[str, str]], listed: Sequence[Column]) -> list[dict[str, str]]:
    """Give each row an empty value for each listed column that a page left out as nobody has any.

    So a column that is empty is told from one that is gone.
    """
    there = {name.strip().casefold() for name in (rows[0] if rows else ())}
    lacking = [c.name for c in listed if c.has_alias and c.name.strip().casefold() not in there]
    return [row | dict.fromkeys(lacking, "") for row in rows] if lacking else rows


def _row(item: dict[str, Any]) -> dict[str, Any]:
    properties = item.get("Properties")
    if not isinstance(properties, dict):
        return {name: value for name, value in item.items() if name not in _NOT_COLUMNS}
    return {
        text_of(p.get("Name")): p.get("Value")
        for p in objects(properties)
        if p.get("Name") not in _NOT_COLUMNS
    }


def renamed(listed: list[Column], names: list[str], *, has_alias: bool) -> list[Column]:
    """Give the columns that a row shows, with what the definition tells of each."""
    known = {key: c for c in reversed(listed) for key in (c.caption, c.property_name, c.name)}
    blank = Column("")
    found = [known.get(name, blank) for name in names]
    return [
        Column(name, c.property_name, c.caption, has_alias, c.kind)
        for name, c in zip(names, found, strict=True)
    ]
