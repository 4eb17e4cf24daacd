"""A demo whose texts have all left before it could pause them goes on to its proof."""

from typing import Any

import pytest

from textmanager.demo.api import Gateway
from textmanager.demo.interlude import Interlude
from textmanager.demo.outside import Outside
from textmanager.errors import UserError


class Refusing(Gateway):
    """A gateway that takes no step of a campaign's life."""

    def __init__(self, status: str) -> None:
        super().__init__("http://127.0.0.1:1")
        self._status = status

    async def get(self, path: str) -> dict[str, Any]:
        return {"state": "sending", "status": self._status}

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        raise UserError("409")


class AllAccepted(Outside):
    """A Twilio that has had every text."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "http://127.0.0.1:1")

    async def accepted(self) -> int:
        return 97


def interlude(status: str, said: list[str]) -> Interlude:
    return Interlude(Refusing(status), AllAccepted(), "c", "r", "+18885550100", said.append)


async def test_there_is_nothing_to_pause_when_all_have_left() -> None:
    said: list[str] = []
    assert await interlude("completed", said).play(97) == 0.0
    assert said == ["Its last text had left already: there was nothing to pause\n"]


async def test_a_refused_pause_of_what_still_sends_ends_the_demo() -> None:
    with pytest.raises(UserError):
        await interlude("sending", []).play(97)
