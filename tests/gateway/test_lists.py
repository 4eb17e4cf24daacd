"""Lists that staff send: members to be texted, and numbers that have opted out."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from tests.gateway.client import Client, Got
from tests.gateway.fakes import NOON
from tests.gateway.rig import NUMBER, Rig
from tests.gateway.test_runs import DEMO

from contracts.events.audience import AudienceRowsUploaded
from contracts.events.consent import OptOutsImported
from gateway.domain.records import StaffSession
from gateway.domain.refusals import Refusal
from gateway.handlers import lists

CSV = {"content-type": "text/csv"}
STAFF = StaffSession("hash", DEMO, "staff", NOON, "sealed", NOON)


async def upload(staff: Client, body: bytes | str, **headers: str) -> Got:
    raw = body.encode() if isinstance(body, str) else body
    return await staff.post("/v1/uploads?name=Members", body=raw, headers=CSV | headers)


async def parts(rig: Rig) -> list[AudienceRowsUploaded]:
    return [
        each.event for each in await rig.published() if isinstance(each.event, AudienceRowsUploaded)
    ]


async def imported(rig: Rig) -> list[OptOutsImported]:
    return [each.event for each in await rig.published() if isinstance(each.event, OptOutsImported)]


async def test_x11_a_list_is_taken_in_with_its_columns_and_rows(
    rig: Rig, staff: Client, stranger: Client
) -> None:
    got = await upload(staff, 'ID,Full Name,Phone\n101,"Ann, ""A"" Lee",+14155552671\n102,Bob,\n')
    assert got.status == 201, got.body
    shown = got.json()
    assert (shown["name"], shown["rows"], shown["rejected"]) == ("Members", 2, [])
    assert shown["columns"] == ["ID", "Full Name", "Phone"]
    (part,) = await parts(rig)
    assert (part.part, part.first_row, part.rows_in_all, part.sequence) == (0, 0, 2, 1)
    assert part.lines == (("101", 'Ann, "A" Lee', "+14155552671"), ("102", "Bob", ""))
    path = f"/v1/uploads/{shown['upload_id']}"
    assert (await staff.get(path)).json()["rows"] == 2
    assert (await stranger.get(path)).status == 404
    async with rig.desk.read() as reading:
        kept = await reading.uploads.get(DEMO, UUID(shown["upload_id"]))
    assert kept is not None
    assert kept.columns == ("ID", "Full Name", "Phone")


@pytest.mark.parametrize(
    "text",
    [
        "ID;Phone\r\n1;2\r\n",
        "\ufeffID,Phone\n1,2",
        "ID\tPhone\r1\t2\r",
        '"ID","Phone"\n"1","2"\n\n\n',
        " ID , Phone \n1,2\n",
    ],
    ids=["semicolons", "byte order mark", "tabs and old line ends", "quoted", "blanks"],
)
async def test_x11_what_spreadsheets_make_of_csv_is_understood(
    rig: Rig, staff: Client, text: str
) -> None:
    assert (await upload(staff, text)).json()["columns"] == ["ID", "Phone"]
    (part,) = await parts(rig)
    assert part.lines == (("1", "2"),)


async def test_x11_lines_that_are_no_rows_are_told_with_their_reasons(
    rig: Rig, staff: Client
) -> None:
    text = 'ID,Text\n1\n2,b,c\n3,a\0b\n4,"two\nlines"\n5,"a"b\n6,5" pipe\n7,"open'
    shown = (await upload(staff, text)).json()
    assert (shown["rows"], shown["rejected_lines"]) == (2, 5)
    told = {each["line"]: each["reason"] for each in shown["rejected"]}
    assert set(told) == {2, 3, 4, 7, 9}
    assert "1 cells where the first line names 2" in told[2]
    assert "NUL" in told[4]
    assert "don't match" in told[7]
    assert "never closed" in told[9]
    (part,) = await parts(rig)
    assert part.lines == (("4", "two\nlines"), ("6", '5" pipe'))


async def test_x11_the_first_hundred_rejections_are_shown_and_all_are_counted(
    staff: Client,
) -> None:
    shown = (await upload(staff, "A,B\n" + "x\n" * 250)).json()
    assert (shown["rejected_lines"], len(shown["rejected"]), shown["rows"]) == (250, 100, 0)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"ID\n1\n", "at least two columns"),
        (b"ID,\n1,2\n", "must name each column"),
        (b"ID,ID\n1,2\n", "twice"),
        (b"ID,Name\n1,Jos\xe9\n", "not UTF-8"),
        ("ID,Name\n1,José\n".encode("utf-16"), "not UTF-8"),
        (b'ID,"Name\n', "first line can't be read"),
        (b",".join([b"c%d" % n for n in range(101)]), "at most 100"),
        (b"ID,Name\n1," + b"x" * 70_000, "longer than any"),
        (b'ID,Name\n1,"' + b"x\n" * 500, "is not closed"),
    ],
)
async def test_x11_a_file_that_can_not_be_used_says_how_to_mend_it(
    rig: Rig, staff: Client, body: bytes, told: str
) -> None:
    got = await upload(staff, body)
    assert got.status == 422, got.body
    (error,) = got.json()["errors"]
    assert (error["field"], told in error["detail"]) == ("body", True), error
    assert await parts(rig) == []


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/csv; charset=latin1", ""])
async def test_x11_only_csv_in_utf8_is_taken(staff: Client, kind: str) -> None:
    for path in ("/v1/uploads", "/v1/opt-outs/import"):
        got = await staff.post(path, body=b"A,B\n", headers={"content-type": kind})
        assert (got.status, got.json()["type"].endswith("unsupported-media-type")) == (415, True)
    assert (await upload(staff, "A,B\n1,2\n", **{"content-type": "application/csv"})).status == 201


async def test_x11_a_list_has_its_limits(rig: Rig, staff: Client) -> None:
    own = rig.gateway.own.model_copy(update={"upload_rows": 3, "upload_bytes": 60})
    object.__setattr__(rig.gateway, "own", own)
    assert (await upload(staff, "A,B\n" + "1,2\n" * 3)).status == 201
    rows = await upload(staff, "A,B\n" + "1,2\n" * 4)
    assert (rows.status, "3 rows" in rows.json()["detail"]) == (413, True)
    size = await upload(staff, "A,B\n" + "x" * 60)
    assert (size.status, "60 bytes" in size.json()["detail"]) == (413, True)
    # Only what is a file may be large.
    assert (await staff.post("/v1/campaigns", {"name": "x" * 300_000})).status == 413


async def test_x11_parts_are_small_and_in_order_whatever_the_list(rig: Rig, staff: Client) -> None:
    wide = "x" * 30_000
    text = "A,B\n" + "1,2\n" * 1201 + f"3,{wide}\n" * 10
    assert (await upload(staff, text)).json()["rows"] == 1211
    found = await parts(rig)
    assert [each.part for each in found] == list(range(len(found)))
    rows = 0
    for each in found:
        assert each.first_row == rows
        assert 0 < len(each.lines) <= 500
        assert len(each.model_dump_json()) < 256 * 1024
        rows += len(each.lines)
    assert [each.rows_in_all for each in found] == [None] * (len(found) - 1) + [1211]


async def test_x11_a_hundred_thousand_rows_take_no_more_memory_than_a_few(rig: Rig) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"ID,Name,Phone\n"
        for hundred in range(1000):
            await asyncio.sleep(0)
            yield b"".join(
                b"%d,Somebody With A Name,+14155552671\n" % (hundred * 100 + n) for n in range(100)
            )

    tracemalloc.start()
    try:
        done, _ = await lists.upload(
            "Large", body(), staff=STAFF, desk=rig.desk, clock=rig.clock, own=rig.gateway.own
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.rows == 100_000
    # The whole of it is 4 MB as text, and 30 MB as Python's rows.
    assert peak < 6_000_000


async def take(staff: Client, text: str) -> Any:
    got = await staff.post("/v1/opt-outs/import", body=text.encode(), headers=CSV)
    assert got.status == 202, got.body
    return got.json()


async def test_tm20_opt_outs_of_an_older_system_are_imported(rig: Rig, staff: Client) -> None:
    shown = await take(
        staff,
        "Name,Number,From_Number,Since\n"
        f"Ann,(415) 555-2671,{NUMBER},2024-05-01\n"
        f"Bob,'+442072343456,'{NUMBER},2024-05-01T10:00:00+02:00\n"
        "Cat,4155552672,,\n"
        "Dan,12,,\n"
        "Eve,4155552673,+15005550006,\n"
        "Fay,4155552674,,soon\n"
        "Gil,4155552675,,2099-01-01\n"
        "Hal,4155552676\n",
    )
    assert (shown["taken"], shown["rejected_lines"]) == (3, 5)
    assert [each["line"] for each in shown["rejected"]] == [5, 6, 7, 8, 9]
    assert not any("555" in each["reason"] for each in shown["rejected"])
    reason = shown["rejected"][0]["reason"]
    assert reason == "Its number can't be a phone number: it is too short."
    (part,) = await imported(rig)
    assert (part.part, part.by, str(part.import_id)) == (0, "staff", shown["import_id"])
    assert [(each.number, each.from_number) for each in part.entries] == [
        ("+14155552671", NUMBER),
        ("+442072343456", NUMBER),
        ("+14155552672", ""),
    ]
    times = [each.since and each.since.isoformat() for each in part.entries]
    assert times == ["2024-05-01T00:00:00+00:00", "2024-05-01T08:00:00+00:00", None]


async def test_tm20_a_long_import_leaves_in_parts(rig: Rig, staff: Client) -> None:
    numbers = "".join(f"+1415555{n:04}\n" for n in range(1001, 2202))
    assert (await take(staff, f"number\n{numbers}"))["taken"] == 1201
    found = await imported(rig)
    assert [(each.part, each.sequence, len(each.entries)) for each in found] == [
        (0, 1, 500),
        (1, 2, 500),
        (2, 3, 201),
    ]


async def test_tm20_an_import_without_numbers_is_refused(rig: Rig, staff: Client) -> None:
    for text in ("phone,since\n1,2\n", "", "number,number\n1,2\n"):
        got = await staff.post("/v1/opt-outs/import", body=text.encode(), headers=CSV)
        assert got.status == 422
    assert (await take(staff, "number\n"))["taken"] == 0
    assert await imported(rig) == []


async def test_x11_a_list_that_breaks_off_never_becomes_usable(rig: Rig) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"A,B\n" + b"1,2\n" * 700
        raise Refusal("The file ended early.")

    with pytest.raises(Refusal):
        await lists.upload(
            "Half", body(), staff=STAFF, desk=rig.desk, clock=rig.clock, own=rig.gateway.own
        )
    found = await parts(rig)
    assert [len(each.lines) for each in found] == [500]
    assert all(each.rows_in_all is None for each in found)
    async with rig.desk.read() as reading:
        assert await reading.uploads.get(DEMO, found[0].upload_id) is None
