"""The services' names, and the light way to run one of them."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import cast

from textmanager.errors import UserError

SERVICES = (
    "gateway",
    "scheduler",
    "audience",
    "sender",
    "status",
    "imis-writer",
    "ingress",
    "consent",
    "projections",
    "notifier",
)


def known(name: str) -> str:
    """The service's name; raises UserError that lists the names when there is none such."""
    if name not in SERVICES:
        raise UserError(f"There is no service {name!r}: the services are {', '.join(SERVICES)}.")
    return name


def package_of(name: str) -> str:
    """The service's Python package."""
    return known(name).replace("-", "_")


def migrations_of(name: str) -> Path:
    """Where the service's package keeps the revisions of its tables; imports nothing of it."""
    found = importlib.util.find_spec(package_of(name))
    if found is None or found.origin is None:
        raise UserError(f"The service {name} is not installed here: name those that are.")
    return Path(found.origin).parent / "migrations"


def installed() -> tuple[str, ...]:
    """The services that can run here: all, but in an image of one service that one alone."""
    return tuple(name for name in SERVICES if importlib.util.find_spec(package_of(name)))


def run(name: str) -> None:
    """Run one service in this process until it is told to stop."""
    module = importlib.import_module(f"{package_of(name)}.app")
    # The service has loaded it already.
    from chassis.revisions import SchemaBehind  # noqa: PLC0415

    try:
        cast("Callable[[], None]", module.main)()
    except SchemaBehind as error:
        raise UserError(str(error)) from error
