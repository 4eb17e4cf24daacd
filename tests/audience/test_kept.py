"""What the service keeps of others: uploaded lists, and who has opted out."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audience.fakes import FakeOptOuts
from tests.audience.orders import DEMO, NOON, OTHER
from tests.audience.rigs import SqlRig, postgres_rig, sqlite_rig

from audience.adapters import optouts
from audience.adapters.optouts import SqlOptOuts
from audience.adapters.uploads import SqlUploads, UploadedRows
from audience.domain.failures import NotHereYet
from audience.ports import OptOuts
from contracts import ids
from contracts.envelope import seal
from contracts.events.audience import AudienceRowsUploaded
from contracts.events.consent import Consent, ConsentCause, ConsentChanged

OURS, OTHERS = "+12025550100", "+18885550100"
ANN, BEN, CLEO = "+12025550143", "+12025550144", "+12025550145"


@pytest.fixture(params=["sqlite", "postgresql"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[SqlRig]:
    make = sqlite_rig if request.param == "sqlite" else postgres_rig
    async with make() as found:
        yield found


def change(
    number: str,
    consent: Consent = Consent.OPTED_OUT,
    *,
    from_number: str = OURS,
    sequence: int = 1,
    organization_id: UUID = DEMO,
) -> ConsentChanged:
    return ConsentChanged(
        organization_id=organization_id,
        occurred_at=NOON,
        sequence=sequence,
        consent_id=ids.consent_id(organization_id, f"{number} {from_number}"),
        number=number,
        from_number=from_number,
        consent=consent,
        cause=ConsentCause.KEYWORD,
    )


async def told(rig: SqlRig, *changes: ConsentChanged) -> SqlOptOuts:
    async with rig.store.transaction() as transaction:
        await optouts.fold(transaction, [seal(each) for each in changes])
    return SqlOptOuts(rig.store)


async def out(opt_outs: OptOuts, organization_id: UUID = DEMO) -> set[str]:
    return await opt_outs.among(organization_id, OURS, [ANN, BEN, CLEO])


async def test_x3_an_opt_out_is_of_a_number_or_of_all_the_organisations(rig: SqlRig) -> None:
    known = await told(
        rig,
        change(ANN),
        change(BEN, from_number=""),
        change(CLEO, from_number=OTHERS),
        change(CLEO, organization_id=OTHER),
    )
    for opt_outs in (known, FakeOptOuts((OURS, ANN), ("", BEN), (OTHERS, CLEO))):
        assert await out(opt_outs) == {ANN, BEN}
        assert await opt_outs.among(DEMO, OURS, []) == set()
    assert await out(known, OTHER) == {CLEO}


async def test_x3_the_newest_word_counts_however_often_and_late_it_comes(rig: SqlRig) -> None:
    stop, start = change(ANN), change(ANN, Consent.OPTED_IN, sequence=2)
    assert await out(await told(rig, start, stop, stop)) == set()
    assert await out(await told(rig, stop)) == set()
    assert await out(await told(rig, change(ANN, sequence=3), start)) == {ANN}


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(1, 6)), st.integers(1, 5))
async def test_x3_any_order_and_any_batches_come_to_the_same(order: list[int], cut: int) -> None:
    changes = [
        change(ANN, Consent.OPTED_OUT if n % 2 else Consent.OPTED_IN, sequence=n) for n in order
    ]
    async with sqlite_rig() as rig:
        await told(rig, *changes[:cut])
        known = await told(rig, *changes[cut - 1 :], *changes[:1])
        assert await out(known) == {ANN}


def parts(upload_id: UUID, rows: int, *, size: int, **changes: Any) -> list[AudienceRowsUploaded]:
    whole = [(str(n), f"+1202555{n:04d}", f'Zoë "{n}"') for n in range(rows)]
    cut = [whole[start : start + size] for start in range(0, rows, size)] or [[]]
    return [
        AudienceRowsUploaded(
            **{
                "organization_id": DEMO,
                "occurred_at": NOON,
                "sequence": place + 1,
                "upload_id": upload_id,
                "part": place,
                "first_row": place * size,
                "columns": ("iMIS Id", "Mobile Phone", "Name"),
                "lines": tuple(each),
                "rows_in_all": rows if place == len(cut) - 1 else None,
            }
            | changes
        )
        for place, each in enumerate(cut)
    ]


async def keep(rig: SqlRig, *events: AudienceRowsUploaded) -> UploadedRows:
    async with rig.store.transaction() as transaction:
        await SqlUploads(transaction).take([seal(each) for each in events])
    return UploadedRows(rig.store)


async def ids_of(uploads: UploadedRows, upload_id: UUID, limits: Sequence[int]) -> list[str]:
    """Read a list to its end, in pages of these sizes in turn."""
    found: list[str] = []
    offset, more = 0, True
    while more:
        limit = limits[len(found) % len(limits)]
        page = await uploads.page(DEMO, upload_id, offset=offset, limit=limit)
        assert len(page.rows) <= limit
        found += [row["iMIS Id"] for row in page.rows]
        offset, more = page.next_offset, page.has_next
    return found


async def test_x11_an_uploaded_list_is_read_as_it_came_page_by_page(rig: SqlRig) -> None:
    upload = uuid4()
    uploads = await keep(rig, *parts(upload, 23, size=5))
    page = await uploads.page(DEMO, upload, offset=4, limit=3)
    assert (page.total, page.has_next, page.next_offset) == (23, True, 7)
    assert page.rows[0] == {"iMIS Id": "4", "Mobile Phone": "+12025550004", "Name": 'Zoë "4"'}
    for limits in ([1], [5], [4, 7], [100]):
        assert await ids_of(uploads, upload, limits) == [str(n) for n in range(23)]


async def test_x11_a_list_of_nobody_is_a_list(rig: SqlRig) -> None:
    upload = uuid4()
    page = await (await keep(rig, *parts(upload, 0, size=5))).page(
        DEMO, upload, offset=0, limit=500
    )
    assert (page.rows, page.total, page.has_next) == ([], 0, False)


async def test_x11_a_list_is_waited_for_until_each_part_is_here_once(rig: SqlRig) -> None:
    upload = uuid4()
    whole = parts(upload, 12, size=5)
    for missing in range(3):
        some = [each for place, each in enumerate(whole) if place != missing]
        other = uuid4()
        here = [each.model_copy(update={"upload_id": other}) for each in some]
        uploads = await keep(rig, *here, *here)
        with pytest.raises(NotHereYet):
            await uploads.page(DEMO, other, offset=0, limit=5)
    uploads = await keep(rig, *reversed(whole), *whole)
    assert await ids_of(uploads, upload, [5]) == [str(n) for n in range(12)]


async def test_x11_no_organisation_reads_anothers_list(rig: SqlRig) -> None:
    upload = uuid4()
    uploads = await keep(rig, *parts(upload, 3, size=5))
    with pytest.raises(NotHereYet):
        await uploads.page(OTHER, upload, offset=0, limit=5)
