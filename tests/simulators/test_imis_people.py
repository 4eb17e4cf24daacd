"""The demo's members are as dirty as promised, and valid where they look valid."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import phonenumbers
import pytest

from simulators.imis.people import KINDS, People, Row

SIZES = (100, 300, 1000, 2000)
NO_GOOD = {"invalid number", "empty number"}


def national(phone: str) -> str:
    return phone if phone.startswith("+") else "+1" + phone


def e164(phone: str) -> str:
    number = phonenumbers.parse(national(phone), None)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def by_kind(people: People) -> dict[str, list[Row]]:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for index in range(len(people)):
        rows[people.kind(index)].append(people.row(index))
    return rows


def test_the_same_for_the_same_size_and_seed() -> None:
    assert People(500, 3).rows(0, 500) == People(500, 3).rows(0, 500)
    assert People(500, 3).rows(0, 500) != People(500, 4).rows(0, 500)


def test_few_members_are_all_plain() -> None:
    assert set(by_kind(People(99, 0))) == {"plain"}


@pytest.mark.parametrize("size", SIZES)
def test_one_of_each_kind_in_a_hundred(size: int) -> None:
    counted = Counter(People(size, 1).kind(index) for index in range(size))
    places = Counter(KINDS.values())
    hundreds = size // 100
    assert {kind: counted[kind] for kind in places} == {
        kind: n * hundreds for kind, n in places.items()
    }


@pytest.mark.parametrize("size", SIZES)
def test_member_ids_have_six_digits_and_are_known(size: int) -> None:
    people = People(size, 1)
    ids = {row[0] for row in people.rows(0, size)}
    assert all(len(member) == 6 and people.knows(member) for member in ids)
    assert not people.knows("999999")
    assert not people.knows("x")
    # Two rows of one member, and rows that come again.
    assert len(ids) == size - 2 * (size // 100)


def test_numbers_are_valid_and_unique_where_they_look_it() -> None:
    rows = by_kind(People(1000, 1))
    seen: Counter[str] = Counter()
    for kind, members in rows.items():
        for member in members:
            if kind in NO_GOOD:
                continue
            number = phonenumbers.parse(national(member[3]), None)
            assert phonenumbers.is_valid_number(number), (kind, member[3])
            if kind not in {"shared phone", "repeated row"}:
                seen[e164(member[3])] += 1
    assert seen.most_common(1)[0][1] == 1


def test_only_failing_numbers_fail() -> None:
    ends = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
    for kind, members in by_kind(People(1000, 1)).items():
        for member in members:
            assert (member[3] or "").endswith(ends) == (kind == "failing number"), (kind, member)


def test_each_kind_is_what_it_is_called() -> None:
    rows = by_kind(People(1000, 1))
    shared = [row[3] for row in rows["shared phone"]]
    assert set(Counter(shared).values()) == {2}
    assert all(len(set(phones)) == 2 for phones in phones_of(rows["two phones"]).values())
    assert {row[3] for row in rows["invalid number"]} == {"12345"}
    assert {row[3] for row in rows["empty number"]} == {"", None}
    assert all(row[3].startswith("+44 ") for row in rows["British number"])
    assert all(row[3].startswith("+49 ") for row in rows["German number"])
    assert any(row[3].startswith("(") for row in rows["written number"])
    assert all(not row[1].isascii() for row in rows["GSM accent"] + rows["other accent"])
    assert all(len(f"Hello {row[1]},") > 160 for row in rows["long name"])
    assert all("€" in row[5] for row in rows["euro"])
    assert all("^" in row[1] for row in rows["caret"])
    assert all(row[1] is None for row in rows["no name"])


def phones_of(rows: Iterable[Row]) -> dict[str, list[str]]:
    phones: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        phones[row[0]].append(row[3])
    return phones


@pytest.mark.parametrize("size", SIZES)
def test_repeated_rows_are_far_apart(size: int) -> None:
    people = People(size, 1)
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index in range(size):
        places[str(people.row(index))].append(index)
    again = [found for found in places.values() if len(found) > 1]
    assert len(again) == size // 100
    assert all(last - first > min(500, size // 2) for first, last in again)


def test_a_million_members_cost_nothing_to_have() -> None:
    people = People(1_000_000, 0)
    assert len({row[0] for row in people.rows(999_000, 2_000_000)}) == 980
