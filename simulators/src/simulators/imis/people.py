"""The members of the demo: mostly plain, and as dirty as real data, the same for N and seed.

Rows are computed from their index, so a million of them cost no memory. Each whole hundred of
rows has one of each kind of dirt, at a fixed place.
"""

from typing import Any

from simulators.imis import numbers

Row = tuple[Any, ...]

ALIASES = ("iMIS Id", "FullName", "First Name", "Mobile Phone", "Member Since", "Balance")

# Where in each hundred a kind of row stands; all other places are plain.
KINDS = {
    5: "shared phone",
    6: "shared phone",
    11: "two phones",
    12: "two phones",
    17: "invalid number",
    21: "empty number",
    26: "British number",
    31: "German number",
    36: "written number",
    41: "GSM accent",
    44: "other accent",
    47: "Cyrillic",
    51: "emoji",
    55: "long name",
    61: "euro",
    64: "caret",
    67: "no name",
    71: "repeated row",
    75: "failing number",
}
_REPEATED_AT = 71
_BLOCK = 100
_SIX_DIGIT_IDS = 899_000
# Far enough apart that a page of 500 never holds both.
_FAR = 501

_FIRST = (
    "Mary", "James", "Linda", "Robert", "Susan", "Michael", "Karen", "David", "Nancy", "John",
    "Grace", "Henry", "Alice", "Peter", "Ruth", "Samuel", "Clara", "Oscar", "Helen", "Victor",
    "Emma", "Paul", "Laura", "Mark", "Diane", "Steven", "Judith",
)  # fmt: skip
_LAST = (
    "Smith", "Johnson", "Brown", "Miller", "Davis", "Wilson", "Anderson", "Taylor", "Thomas",
    "Moore", "Martin", "Lee", "Clark", "Lewis", "Walker", "Hall", "Young", "King", "Wright",
    "Green", "Baker", "Adams", "Nelson", "Carter", "Mitchell", "Turner", "Parker", "Evans", "Reed",
)  # fmt: skip
_SPECIAL_NAMES = {
    "GSM accent": (("José", "Peña"), ("André", "Müller"), ("Zoë", "Lindström")),
    "other accent": (("Michał", "Wałęsa"), ("Dvořák", "Novotný"), ("Şule", "Yıldız")),
    "Cyrillic": (("Олена", "Коваль"), ("Иван", "Петров")),
    "emoji": (("Sunny 🌞", "Day"), ("Lucky 🍀", "Penny")),
    "caret": (("J^rgen", "Stone"), ("Ann^Marie", "Hill")),
}
_LONG_FIRST = "Maximiliana"
_LONG_LAST = "-".join(
    ("Featherstonehaugh", "Cholmondeley", "Wolfeschlegelsteinhausen", "Montgomery", "Worthington")
    * 2
)


class People:
    """N rows of members."""

    def __init__(self, rows: int, seed: int) -> None:
        self._rows = rows
        self._seed = seed
        self._first_id = 100_001 if rows <= _SIX_DIGIT_IDS else 1_000_001
        # Only whole hundreds are dirty, so fewer than a hundred rows are all plain.
        self._dirty = rows - rows % _BLOCK
        self._repeats = self._find_repeats()

    def __len__(self) -> int:
        return self._rows

    def knows(self, party_id: str) -> bool:
        """Say whether this is a member's id."""
        return (
            party_id.isascii()
            and party_id.isdigit()
            and 0 <= int(party_id) - self._first_id < self._rows
        )

    def kind(self, index: int) -> str:
        """Give the kind of the row: "plain", or one of KINDS."""
        if index >= self._dirty:
            return "plain"
        kind = KINDS.get(index % _BLOCK, "plain")
        return "plain" if kind == "repeated row" and index not in self._repeats else kind

    def row(self, index: int) -> Row:
        """Give the values of ALIASES; the date is a wrapped value, as iMIS sends it."""
        index = self._repeats.get(index, index)
        kind = self.kind(index)
        owner = index - 1 if kind == "two phones" and index % _BLOCK == 12 else index  # noqa: PLR2004
        first, last = self._name(owner, kind)
        full = None if kind == "no name" else f"{first} {last}"
        joined = f"{1975 + owner * 7 % 50}-{owner % 12 + 1:02d}-{owner % 28 + 1:02d}T00:00:00"
        return (
            str(self._first_id + owner),
            full,
            None if kind == "no name" else first,
            self._phone(index, kind),
            {"$type": "System.DateTime", "$value": joined},
            self._balance(owner, kind),
        )

    def rows(self, start: int, stop: int) -> list[Row]:
        """Give the rows of a slice."""
        return [self.row(index) for index in range(max(0, start), min(stop, self._rows))]

    def _name(self, index: int, kind: str) -> tuple[str, str]:
        if kind == "long name":
            return _LONG_FIRST, _LONG_LAST
        if special := _SPECIAL_NAMES.get(kind):
            return special[index // _BLOCK % len(special)]
        spread = index * 31 + self._seed
        return _FIRST[spread % len(_FIRST)], _LAST[spread // len(_FIRST) % len(_LAST)]

    def _phone(self, index: int, kind: str) -> str | None:
        block = index // _BLOCK
        match kind:
            case "shared phone":
                return numbers.mobile(index - index % _BLOCK + 5, self._seed)
            case "invalid number":
                return "12345"
            case "empty number":
                return None if block % 2 else ""
            case "British number":
                return numbers.british_mobile(block)
            case "German number":
                return numbers.german_mobile(block)
            case "written number":
                return numbers.written(numbers.mobile(index, self._seed), block)
            case "failing number":
                return numbers.failing_mobile(block, self._seed)
            case _:
                return numbers.mobile(index, self._seed)

    def _balance(self, index: int, kind: str) -> str:
        amount = f"{index * 37 % 900}.{index * 13 % 100:02d}"
        return f"€{amount}" if kind == "euro" else f"${amount}"

    def _find_repeats(self) -> dict[int, int]:
        """Pair each repeated row with the plain row that it repeats, far away."""
        far = min(_FAR, self._dirty // 2 + 1)
        repeats: dict[int, int] = {}
        taken: set[int] = set()
        for index in range(_REPEATED_AT, self._dirty, _BLOCK):
            ahead = range(index + far, self._dirty)
            behind = range(index - far, -1, -1)
            for source in (*ahead[:_BLOCK], *behind[:_BLOCK]):
                if source % _BLOCK not in KINDS and source not in taken:
                    repeats[index] = source
                    taken.add(source)
                    break
        return repeats
