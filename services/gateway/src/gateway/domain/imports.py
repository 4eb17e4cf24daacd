"""A list of numbers that have opted out elsewhere: its columns, and what each line says (TM-20)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from contracts.events.consent import ImportedOptOut
from contracts.events.organization import OrganizationSettings
from gateway.domain.csv_reading import Record, Rejected
from texting.phones import InvalidPhone, normalise

NUMBER, FROM_NUMBER, SINCE = "number", "from_number", "since"
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ImportColumns:
    """In which places a line says what; None: it doesn't say."""

    wanted: int
    number: int
    from_number: int | None
    since: int | None


def import_columns_of(header: Record) -> ImportColumns:
    """Find the columns that count; others are left alone. ValueError without `number`."""
    names = [each.strip().casefold() for each in header.cells]
    if names.count(NUMBER) != 1 or names.count(FROM_NUMBER) > 1 or names.count(SINCE) > 1:
        raise ValueError(
            "The first line must name the column `number`, and may name `from_number` and "
            "`since`, each once."
        )
    places = {name: names.index(name) for name in (FROM_NUMBER, SINCE) if name in names}
    return ImportColumns(
        len(names), names.index(NUMBER), places.get(FROM_NUMBER), places.get(SINCE)
    )


def opt_out_of(
    record: Record, columns: ImportColumns, *, settings: OrganizationSettings, at: datetime
) -> ImportedOptOut | Rejected:
    """Return what a line says, or why it says nothing that counts."""
    if len(record.cells) != columns.wanted:
        found = len(record.cells)
        reason = f"It has {found} cells where the first line names {columns.wanted}."
        return Rejected(record.line, reason)
    number = normalise(record.cells[columns.number], default_country=settings.default_country)
    if isinstance(number, InvalidPhone):
        return Rejected(record.line, f"Its number can't be a phone number: {number.in_words}.")
    try:
        from_number = own_number(_cell(record, columns.from_number), settings)
        since = _moment(_cell(record, columns.since), settings.time_zone, at)
    except ValueError as error:
        return Rejected(record.line, str(error))
    return ImportedOptOut(number=number.e164, from_number=from_number, since=since)


def own_number(typed: str, settings: OrganizationSettings) -> str:
    """Return one of the organisation's numbers as it is known; empty stays empty."""
    if not typed.strip():
        return ""
    read = normalise(typed, default_country=settings.default_country)
    # A test number isn't valid everywhere; the settings know it.
    candidates = {typed.strip().lstrip("'")} | (
        set() if isinstance(read, InvalidPhone) else {read.e164}
    )
    known = candidates & {each.number for each in settings.numbers}
    if not known:
        raise ValueError("Its `from_number` is none of your sending numbers.")
    return known.pop()


def _cell(record: Record, place: int | None) -> str:
    return "" if place is None else record.cells[place]


def _moment(typed: str, zone: str, at: datetime) -> datetime | None:
    if not typed.strip():
        return None
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError as error:
        raise ValueError("Its `since` is no time such as 2025-01-31T14:00:00Z.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    moment = moment.astimezone(UTC)
    if not _EARLIEST <= moment <= at:
        raise ValueError("Its `since` is in the future, or before 2000.")
    return moment
