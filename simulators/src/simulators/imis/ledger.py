"""What was written to the simulated iMIS, durable before it is answered."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulators.imis.wire import entity, property_of
from simulators.shared import Record

_COLUMNS = {
    "PartyId": "party",
    "ACTIVITY_TYPE": "type",
    "TRANSACTION_DATE": "transaction_date",
    "DESCRIPTION": "description",
    "NOTE": "note",
    "CATEGORY": "category",
    "UF_1": "uf_1",
}


class RefusedError(ValueError):
    """iMIS doesn't take these values."""


class Ledger:
    """Every activity that is there, found by SEQN and by member; reloaded at the start."""

    def __init__(self, state: Path) -> None:
        self._record = Record(state / "imis.jsonl")
        self.activities: dict[int, dict[str, Any]] = {}
        self.deleted: list[int] = []
        self.communications: list[dict[str, Any]] = []
        self._by_party: defaultdict[str, list[int]] = defaultdict(list)
        self._last = 0
        for entry in self._record.entries():
            self._take(entry)

    def close(self) -> None:
        """Give the file back."""
        self._record.close()

    @property
    def created(self) -> int:
        """Say how many activities were ever written."""
        return len(self.activities) + len(self.deleted)

    def create(self, fields: dict[str, str], user: str) -> int:
        """Write an activity and give its SEQN."""
        entry: dict[str, Any] = {"kind": "activity", "seqn": self._last + 1}
        entry |= {name: fields.pop(column, "") for column, name in _COLUMNS.items()}
        entry |= {"extra": fields, "user": user, "at": datetime.now(UTC).isoformat()}
        self._keep(entry)
        return self._last

    def delete(self, seqn: int) -> bool:
        """Delete an activity, if it is there."""
        if seqn not in self.activities:
            return False
        self._keep({"kind": "deleted", "seqn": seqn, "at": datetime.now(UTC).isoformat()})
        return True

    def communicate(self, entry: dict[str, Any]) -> int:
        """Write a communication log entry or a recipient of one, and give its id."""
        number = len(self.communications) + 1
        self._keep({"kind": "communication", "id": number, **entry})
        return number

    def has_log(self, number: str) -> bool:
        """Say whether there is a communication log entry of that id."""
        known = number.isascii() and number.isdecimal() and int(number) > 0
        if not known or int(number) > len(self.communications):
            return False
        return "subject" in self.communications[int(number) - 1]

    def find(self, party: str | None, filters: dict[str, str]) -> list[dict[str, Any]]:
        """List the activities with these property values."""
        wanted = {_COLUMNS[name]: value for name, value in filters.items() if name in _COLUMNS}
        numbers: Iterable[int] = self.activities if party is None else self._by_party.get(party, ())
        held = [self.activities[n] for n in numbers if n in self.activities]
        return [a for a in held if all(a[name] == value for name, value in wanted.items())]

    def _keep(self, entry: dict[str, Any]) -> None:
        self._record.append(entry)
        self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        match entry["kind"]:
            case "activity":
                self._last = entry["seqn"]
                self.activities[self._last] = entry
                self._by_party[entry["party"]].append(self._last)
            case "deleted":
                gone = self.activities.pop(entry["seqn"])
                self._by_party[gone["party"]].remove(entry["seqn"])
                self.deleted.append(entry["seqn"])
            case "communication":
                self.communications.append(entry)


def fields_of(posted: object) -> dict[str, str]:
    """Read the properties of a posted entity; raises RefusedError if it is none."""
    try:
        listed = posted["Properties"]["$values"]  # type: ignore[index]
        fields = {p["Name"]: _text(p.get("Value")) for p in listed}
        if "PartyId" not in fields:
            identity = posted["PrimaryParentIdentity"]  # type: ignore[index]
            fields["PartyId"] = _text(identity["IdentityElements"]["$values"][0])
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise RefusedError("The entity is not well formed.") from error
    return fields


def shown(activity: dict[str, Any]) -> dict[str, Any]:
    """Show an activity as iMIS does; what is empty is null."""
    listed = [property_of(column, activity[name] or None) for column, name in _COLUMNS.items()]
    listed += [property_of(name, value) for name, value in activity["extra"].items()]
    listed.append(property_of("SEQN", {"$type": "System.Int32", "$value": activity["seqn"]}))
    return entity("Activity", str(activity["seqn"]), listed)


def _text(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("$value")
    return "" if value is None else str(value)
