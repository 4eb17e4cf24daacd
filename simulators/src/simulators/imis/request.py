"""A signed-in request to the simulated iMIS."""

from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(slots=True)
class Request:
    """Its path has lost the site's prefix; its body is parsed once, when asked for."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    user: str
    _parsed: Any = None

    def json(self) -> Any:
        """Parse the body; raises orjson.JSONDecodeError."""
        if self._parsed is None:
            self._parsed = orjson.loads(self.body)
        return self._parsed

    def first(self, name: str) -> str:
        """Give the first query value of that name, or nothing."""
        return next((value for key, value in self.query if key == name), "")
