"""The imis-writer before a simulated iMIS, and facts about texts on the real log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from tests.harness import Log
from tests.imis_writer.facts import organization, queued, status

from chassis.secrets import SecretBox
from chassis.service import Service
from chassis.settings import ServiceSettings
from contracts.events.campaign import Mode
from contracts.events.message import MessageStatus
from contracts.events.organization import OrganizationSettingsChanged
from imis_writer.app import make
from imis_writer.settings import ImisWriterSettings
from simulators.imis import ImisSimulator, Profile, Settings
from simulators.shared import running as serving

FIRST_ID = 100_001


@asynccontextmanager
async def simulated(
    folder: Path, profile: Profile = "ems"
) -> AsyncIterator[tuple[ImisSimulator, str]]:
    """Serve an iMIS of 300 members; gives it and its address."""
    simulator = ImisSimulator(Settings(profile=profile, recipients=300), state=folder / "imis")
    async with serving(simulator) as url:
        yield simulator, url


def writer(settings: ServiceSettings, **more: Any) -> Service:
    """Put the imis-writer together, quick in all that it waits for."""
    given = {
        "request_timeout": 0.5,
        "first_look": 0.1,
        "second_look": 0.6,
        "poll": 0.05,
        "refusal_pause": 0.1,
    }
    return make(settings, ImisWriterSettings(**(given | more)))


def site(
    settings: ServiceSettings, url: str, *, password: str = "service-pass", **more: Any
) -> OrganizationSettingsChanged:
    """An organisation whose iMIS this is."""
    sealed = SecretBox(settings.secret_key).seal(SecretStr(password))
    return organization(url=url, username="textmanager", password_encrypted=sealed, **more)


class Texts:
    """Facts about texts, published on the real log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def send(
        self, count: int = 1, status_first: bool = False, mode: Mode = Mode.LIVE, **more: Any
    ) -> list[UUID]:
        messages = [
            queued(imis_id=str(FIRST_ID + number), text=f"Hello {number} 🌞", mode=mode, **more)
            for number in range(count)
        ]
        success = MessageStatus.SENT if mode is Mode.LIVE else MessageStatus.SIMULATED
        told = [status(each.event.message_id, success, mode=mode) for each in messages]
        if status_first:
            await self._log.publish_sealed(*told)
        await self._log.publish_sealed(*messages)
        if not status_first:
            await self._log.publish_sealed(*told)
        return [each.event.message_id for each in messages]

    async def queue(self, **more: Any) -> list[UUID]:
        """Let the sender have a text, and say nothing of what becomes of it."""
        message = queued(imis_id=str(FIRST_ID), **more)
        await self._log.publish_sealed(message)
        return [message.event.message_id]
