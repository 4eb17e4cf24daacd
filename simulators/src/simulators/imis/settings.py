"""What kind of site the simulated iMIS is; some of it can be changed while it runs."""

from dataclasses import dataclass, field
from typing import Any, Literal

Profile = Literal["ems", "2017"]

STAFF = {"staff": "staff-pass", "textmanager": "service-pass"}
ACTIVITY_TYPES = frozenset({"TEXTMSG", "TEXTUNSUB", "CALL", "MEETING"})


@dataclass(slots=True)
class Settings:
    """The site: its version, address, users, and how slow and short-lived things are."""

    profile: Profile = "ems"
    prefix: str = ""
    recipients: int = 1000
    seed: int = 0
    users: dict[str, str] = field(default_factory=lambda: dict(STAFF))
    roles: frozenset[str] = frozenset({"SysAdmin", "CasualUser"})
    token_ttl_seconds: int = 1199
    latency_seconds: float = 0.0
    lock_after_bad_logins: int = 10
    activity_types: frozenset[str] = ACTIVITY_TYPES
    tells_activity_types: bool = True
    merged_away: frozenset[str] = frozenset()

    def change(self, wanted: dict[str, Any]) -> None:
        """Take over new values; raises ValueError for what can't be changed."""
        changes: dict[str, Any] = {}
        for name, value in wanted.items():
            match name, value:
                case "token_ttl_seconds", int():
                    changes[name] = value
                case "latency_seconds", int() | float():
                    changes[name] = float(value)
                case "tells_activity_types", bool():
                    changes[name] = value
                case "activity_types" | "roles" | "merged_away", list():
                    changes[name] = frozenset(map(str, value))
                case "users", dict():
                    # Somebody's password expired in iMIS, or was changed there.
                    changes[name] = self.users | {str(k): str(v) for k, v in value.items()}
                case _:
                    raise ValueError(f"{name} can't be set to {value!r}")
        for name, value in changes.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        """Show the settings, passwords left out."""
        return {
            "profile": self.profile,
            "prefix": self.prefix,
            "recipients": self.recipients,
            "seed": self.seed,
            "users": sorted(self.users),
            "roles": sorted(self.roles),
            "token_ttl_seconds": self.token_ttl_seconds,
            "latency_seconds": self.latency_seconds,
            "activity_types": sorted(self.activity_types),
        }
