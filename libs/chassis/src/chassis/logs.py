"""JSON lines without personal data: a constant message plus fields from a short list."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from pydantic import BaseModel

from contracts.personal import loggable

ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "service",
        "instance",
        "error",
        "frames",
        "topic",
        "partition",
        "offset",
        "subscription",
        "reason",
        "count",
        "seconds",
        "attempt",
        "organization_id",
        "campaign_id",
        "run_id",
        "recipient_id",
        "message_id",
        "effect_id",
        "preview_id",
        "event_id",
        "type",
        "port",
        "worker",
        "lane",
        "page",
        "rows",
        "state",
        "code",
        "status",
        "sid",
        "method",
        "path",
        "segments",
        "account_sid",
    }
)


def _allow_listed(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Leave out what is not on the list, so that a new field is a decision and not a leak."""
    shown = {}
    for name, value in fields.items():
        if name in ALLOWED:
            shown[name] = loggable(value) if isinstance(value, BaseModel) else value
    return shown


def _error_without_text(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Say an exception's class and where it was raised; its text may quote a person's data."""
    error = fields.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        fields.update(describe(error))
    return fields


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception's class and its innermost frames, without its text."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return {
        "error": type(error).__name__,
        "frames": [
            f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames
        ],
    }


class _LibraryLogs(logging.Handler):
    """Turns the libraries' own log records into the same lines."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        structlog.get_logger().log(
            record.levelno,
            record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
            logger=record.name,
            **({"exc_info": error} if error else {}),
        )


def configure(*, service: str, instance: str, level: str = "INFO") -> None:
    """Send this process's logs to stdout, as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _error_without_text,
            _allow_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=instance)
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLogs()]
    root.setLevel(logging.WARNING)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Return the process's logger."""
    return structlog.get_logger()  # type: ignore[no-any-return]
