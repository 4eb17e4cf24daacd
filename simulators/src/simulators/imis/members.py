"""Whose record can be written to: the demo's people, and whom a test's own queries name."""

from collections.abc import Iterable
from typing import Any

from simulators.imis.people import People
from simulators.imis.settings import Settings


class Members:
    """Which parties exist; the settings say who was merged away meanwhile."""

    def __init__(self, people: People, settings: Settings) -> None:
        self._people = people
        self._settings = settings
        self._listed: set[str] = set()

    def know(self, party_id: str) -> bool:
        """Say whether there is such a party now."""
        if party_id in self._settings.merged_away:
            return False
        return party_id in self._listed or self._people.knows(party_id)

    def list_rows(self, rows: Iterable[Iterable[Any]]) -> None:
        """Let whoever a query's own rows name be a member, whichever column has the ids."""
        for row in rows:
            self._listed.update(str(cell) for cell in row if isinstance(cell, str | int))
