"""Time as the tables keep it: microseconds since 1970, always UTC, on every database."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """Return the present time; pure code is handed it and never asks."""
    return datetime.now(UTC)


class Instant(TypeDecorator[datetime]):
    """A column of aware datetimes that sorts and compares as time does."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Keep the microseconds."""
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return an aware datetime."""
        del dialect
        return None if value is None else _EPOCH + value * _MICROSECOND
