"""Lists that staff send as CSV: members to be texted, and numbers that have opted out."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TypeVar
from uuid import UUID

from contracts.events.audience import AudienceRowsUploaded
from contracts.events.consent import ImportedOptOut, OptOutsImported
from contracts.ids import event_id
from gateway.domain.csv_reading import CsvReading, Record, Rejected, Unreadable
from gateway.domain.imports import import_columns_of, opt_out_of
from gateway.domain.records import StaffSession
from gateway.domain.refusals import Fault, NotThere, TooLarge, Unacceptable
from gateway.domain.uploads import ROWS_A_PART, Part, Rejections, Upload, columns_of, row_of
from gateway.handlers.organizations import settings_of
from gateway.ports import Clock, Desk
from gateway.settings import GatewaySettings

Body = AsyncIterable[bytes]
T = TypeVar("T")


async def upload(
    name: str,
    body: Body,
    *,
    staff: StaffSession,
    desk: Desk,
    clock: Clock,
    own: GatewaySettings,
) -> tuple[Upload, Rejections]:
    """Take in a list of members, part by part; it can be used once all of it is there (X-11)."""
    upload_id, rejections = event_id(), Rejections()
    columns: tuple[str, ...] = ()
    part = Part()
    async for record in _records(body, rejections, own):
        if not columns:
            columns = _header(columns_of, record)
            continue
        row = row_of(record, columns)
        if isinstance(row, Rejected):
            rejections.add(row)
            continue
        if part.first_row + len(part.rows) >= own.upload_rows:
            raise TooLarge(f"A list has at most {own.upload_rows:,} rows.")
        if not part.has_room_for(row):
            async with desk.work() as work:
                work.outbox.publish(_part(part, upload_id, columns, staff, clock))
            part = part.following()
        part.add(row)
    if not columns:
        raise Unacceptable([Fault("body", "The file is empty.")])
    done = Upload(
        upload_id=upload_id,
        organization_id=staff.organization_id,
        name=name,
        columns=columns,
        rows=part.first_row + len(part.rows),
        by=staff.user,
        at=clock(),
    )
    async with desk.work() as work:
        last = _part(part, upload_id, columns, staff, clock)
        work.outbox.publish(last.model_copy(update={"rows_in_all": done.rows}))
        await work.uploads.keep(done)
    return done, rejections


async def show_upload(upload_id: UUID, *, staff: StaffSession, desk: Desk) -> Upload:
    """Return a list that was taken in."""
    async with desk.read() as reading:
        found = await reading.uploads.get(staff.organization_id, upload_id)
    if found is None:
        raise NotThere("There is no such upload.")
    return found


async def import_opt_outs(
    body: Body, *, staff: StaffSession, desk: Desk, clock: Clock, own: GatewaySettings
) -> tuple[UUID, int, Rejections]:
    """Take over numbers that have opted out elsewhere; returns how many lines count (TM-20).

    A repeat changes nothing, so a file that turns out unreadable half-way is mended and sent
    again whole.
    """
    import_id, rejections, taken = event_id(), Rejections(), 0
    async with desk.read() as reading:
        settings = await settings_of(staff.organization_id, reading=reading)
    columns = None
    entries: list[ImportedOptOut] = []
    part = 0

    async def leave() -> None:
        async with desk.work() as work:
            work.outbox.publish(
                OptOutsImported(
                    organization_id=staff.organization_id,
                    occurred_at=clock(),
                    sequence=part + 1,
                    import_id=import_id,
                    part=part,
                    entries=tuple(entries),
                    by=staff.user,
                )
            )

    async for record in _records(body, rejections, own):
        if columns is None:
            columns = _header(import_columns_of, record)
            continue
        entry = opt_out_of(record, columns, settings=settings, at=clock())
        if isinstance(entry, Rejected):
            rejections.add(entry)
            continue
        entries.append(entry)
        taken += 1
        if len(entries) == ROWS_A_PART:
            await leave()
            entries, part = [], part + 1
    if columns is None:
        raise Unacceptable([Fault("body", "The file is empty.")])
    if entries:
        await leave()
    return import_id, taken, rejections


def _part(
    part: Part, upload_id: UUID, columns: tuple[str, ...], staff: StaffSession, clock: Clock
) -> AudienceRowsUploaded:
    return AudienceRowsUploaded(
        organization_id=staff.organization_id,
        occurred_at=clock(),
        sequence=part.number + 1,
        upload_id=upload_id,
        part=part.number,
        first_row=part.first_row,
        columns=columns,
        lines=tuple(part.rows),
    )


async def _records(
    body: Body, rejections: Rejections, own: GatewaySettings
) -> AsyncIterator[Record]:
    """Return a file's records as they come; what is none is counted."""
    reading, size, headed = CsvReading(), 0, False

    def judge(found: Record | Rejected) -> Record | None:
        nonlocal headed
        if isinstance(found, Rejected) and not headed:
            raise Unreadable(f"The first line can't be read. {found.reason}")
        headed = True
        if isinstance(found, Rejected):
            rejections.add(found)
            return None
        return found

    try:
        async for chunk in body:
            size += len(chunk)
            if size > own.upload_bytes:
                raise TooLarge(f"A file has at most {own.upload_bytes:,} bytes.")
            for found in reading.feed(chunk):
                if (record := judge(found)) is not None:
                    yield record
        for found in reading.end():
            if (record := judge(found)) is not None:
                yield record
    except Unreadable as error:
        raise Unacceptable([Fault("body", str(error))], "The file can't be read.") from error


def _header(read: Callable[[Record], T], record: Record) -> T:
    try:
        return read(record)
    except ValueError as error:
        raise Unacceptable([Fault("body", str(error))], "The file can't be used.") from error
