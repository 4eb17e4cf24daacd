"""What can be changed while the simulator runs."""

from dataclasses import asdict, dataclass, fields
from typing import Any


class BadSettingError(ValueError):
    """There is no such setting, or not with such a value."""


@dataclass(slots=True)
class Settings:
    """Delays and chances; `POST /_sim/settings` changes any of them."""

    answer_ms: float = 0.0
    sent_after_ms: float = 200.0
    final_after_ms: float = 500.0
    list_lag_seconds: float = 0.0
    failing_chance: float = 0.0
    retry_delay_ms: float = 200.0
    special_endings: bool = True
    inbound_url: str = ""
    left_to_customer: str = ""
    """Numbers, blank between them, whose opt-outs Twilio was asked to leave to the customer."""

    def change(self, wanted: dict[str, Any]) -> None:
        """Take new values for some settings, all or none of them."""
        known = {field.name for field in fields(self)}
        if unknown := wanted.keys() - known:
            raise BadSettingError(f"unknown {sorted(unknown)}; known: {sorted(known)}")
        for name, value in wanted.items():
            kind = type(getattr(self, name))
            if kind is float:
                if type(value) not in {int, float} or value < 0:
                    raise BadSettingError(f"{name} must be a number from 0 up")
            elif type(value) is not kind:
                raise BadSettingError(f"{name} must be of type {kind.__name__}")
        for name, value in wanted.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        """Show every setting."""
        return asdict(self)
