"""The composition root of the consent service."""

from sqlalchemy import MetaData

from chassis.service import Service, run
from chassis.settings import ServiceSettings
from chassis.store import Store


def make(settings: ServiceSettings | None = None) -> Service:
    """Put the consent service together."""
    settings = settings or ServiceSettings()
    return Service("consent", settings, Store(settings, name="consent", metadata=MetaData()))


def main() -> None:
    """Run the consent service in this process."""
    run(make)
