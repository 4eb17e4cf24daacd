"""The services' names, and the light way to run one of them."""

import importlib
from collections.abc import Callable
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
)


def known(name: str) -> str:
    """The service's name; raises UserError that lists the names when there is none such."""
    if name not in SERVICES:
        raise UserError(f"There is no service {name!r}: the services are {', '.join(SERVICES)}.")
    return name


def run(name: str) -> None:
    """Run one service in this process until it is told to stop."""
    package = known(name).replace("-", "_")
    module = importlib.import_module(f"{package}.app")
    cast("Callable[[], None]", module.main)()
