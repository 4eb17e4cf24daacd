"""A running simulated iMIS and a client of it, as the fixtures give them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from imis_client import ImisClient, Version
from simulators.imis import ImisSimulator


@dataclass
class Site:
    """A running simulated iMIS and a client of it."""

    simulator: ImisSimulator
    url: str
    client: ImisClient

    @property
    def logins(self) -> int:
        return self.simulator.logins.good


OpenSite = Callable[[Version], Awaitable[Site]]
