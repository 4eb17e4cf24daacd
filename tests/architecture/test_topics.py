"""Who listens to what, and who says what, as the contracts declare it."""

import ast
import importlib
from collections import defaultdict
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from chassis.service import Service
from chassis.subscription import Subscription
from contracts.events import ALL_EVENTS
from contracts.generate import ROOT
from contracts.topics import TOPICS

SERVICES = {
    "gateway": "gateway",
    "scheduler": "scheduler",
    "audience": "audience",
    "sender": "sender",
    "status": "status",
    "imis-writer": "imis_writer",
    "ingress": "ingress",
    "consent": "consent",
    "projections": "projections",
    "notifier": "notifier",
}


@pytest.fixture
async def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Service]:
    """Every service as it is really put together; none of them is started."""
    environment = {
        "KAFKA_URL": "127.0.0.1:1",
        "REDIS_URL": "redis://127.0.0.1:1",
        "DATABASE_URL": f"sqlite:///{tmp_path}",
        "SECRET_KEY": Fernet.generate_key().decode(),
        "PUBLIC_URL": "http://127.0.0.1:1",
        "INSTANCE": "under-test-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(f"TEXTMANAGER_{name}", value)
    return {
        name: importlib.import_module(f"{package}.app").make() for name, package in SERVICES.items()
    }


def subscriptions(service: Service) -> list[Subscription]:
    return list(service._subscriptions)


async def test_each_topic_has_the_consumers_that_it_declares(
    services: dict[str, Service],
) -> None:
    listening: dict[str, set[str]] = defaultdict(set)
    for name, service in services.items():
        for topic in service.topics:
            listening[topic].add(name)
    declared = {topic.name: set(topic.consumers) for topic in TOPICS}
    assert {name: listening[name] for name in declared} == declared
    assert listening.keys() <= declared.keys()


async def test_each_type_on_a_topic_is_handled_or_skipped_on_purpose(
    services: dict[str, Service],
) -> None:
    for service in services.values():
        for subscription in subscriptions(service):
            carried = {event for event in ALL_EVENTS if event.topic in subscription.topics}
            known = set(subscription.handlers) | set(subscription.skips)
            assert carried == known, subscription.name


async def test_each_consumer_group_is_one_service_s_own(services: dict[str, Service]) -> None:
    groups = [s.name for service in services.values() for s in subscriptions(service)]
    assert len(groups) == len(set(groups))
    for name, service in services.items():
        assert all(s.name.startswith(f"{name}.") for s in subscriptions(service)), name


def events_made_in(folder: Path) -> set[str]:
    """The event classes that a service's code calls, which is how an event is made."""
    names = {event.__name__ for event in ALL_EVENTS}
    return {
        node.func.id
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    }


def test_each_event_type_is_made_by_the_service_that_owns_its_topic_and_no_other() -> None:
    owner = {event.__name__: event.source for event in ALL_EVENTS}
    for name, package in SERVICES.items():
        folder = ROOT / "services" / name / "src" / package
        strangers = {each for each in events_made_in(folder) if owner[each] != name}
        assert not strangers, f"{name} makes {strangers}"


def test_nothing_publishes_but_the_relay_and_the_ingress() -> None:
    allowed = {"libs/chassis/src/chassis/relay.py", "services/ingress/src/ingress/adapters/log.py"}
    found = set()
    for folder in ("libs", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            if "AIOKafkaProducer(" in text or ".send_and_wait(" in text or "broker.publish" in text:
                found.add(str(path.relative_to(ROOT)))
    assert found <= allowed
