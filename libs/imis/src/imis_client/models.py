"""What goes to iMIS and what comes back, in our words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pydantic import SecretStr

Version = Literal["ems", "2017"]


@dataclass(frozen=True, slots=True)
class Token:
    """A session that iMIS has opened for somebody."""

    access_token: SecretStr
    expires_at: datetime
    user_name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a folder of the document tree."""

    kind: Literal["folder", "query"]
    name: str
    path: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder and what is in it, folders first, by name."""

    path: str
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a query: `name` is its alias, the key of its values in a row.

    A column without an alias has the name that iMIS gives its values all the same.
    """

    name: str
    property_name: str = ""
    caption: str = ""
    has_alias: bool = True
    kind: str = ""
    """What iMIS says that its values are, as in `Page.kinds`; empty for text."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A value that a query asks for; `name` is the key to give it under."""

    name: str
    property_name: str = ""
    operation: str = ""
    allow_multiple: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class QueryDefinition:
    """What a query returns and asks for; `problems` say what staff must mend first."""

    path: str
    columns: list[Column]
    prompts: list[Prompt]
    problems: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a query, each alias → text, every row with the same keys.

    `total` is iMIS's own count at this moment; it can change between pages.
    """

    rows: list[dict[str, str]]
    total: int
    has_next: bool
    next_offset: int
    kinds: Mapping[str, str] = field(default_factory=dict)
    """What iMIS tells of the columns that aren't text: `date`, `whole`, `number`, `money`, or
    `money:` and a currency. Of a column whose values are of several kinds it tells nothing."""


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity to write on a member. `transaction_date` without a zone is UTC."""

    party_id: str
    type: str
    transaction_date: datetime
    description: str = ""
    note: str = ""
    category_column: str = "CATEGORY"
    category: str = "Text Manager"
    uf_1: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)

    def is_the_same_as(self, found: "FoundActivity") -> bool:
        """Say whether `found` is this very activity: same instant (to the second) and numbers."""
        return (
            as_utc(self.transaction_date).replace(microsecond=0) == found.transaction_date
            and self.description == found.description
            and self.uf_1 == found.uf_1
        )


@dataclass(frozen=True, slots=True)
class FoundActivity:
    """An activity that iMIS holds; `transaction_date` is aware, in UTC, in whole seconds."""

    seqn: str
    party_id: str
    type: str
    transaction_date: datetime | None
    description: str = ""
    note: str = ""
    uf_1: str = ""


def as_utc(moment: datetime) -> datetime:
    """Give the moment in UTC; iMIS and naive datetimes mean UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
