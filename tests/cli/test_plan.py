"""What an `up` would run, without running it."""

import re
from pathlib import Path
from typing import Any

import pytest

from textmanager.databases import database_of
from textmanager.engines.postgresql import PostgreSQL
from textmanager.errors import UserError
from textmanager.plan import Options, Plan
from textmanager.services import SERVICES


def plan(tmp_path: Path, *, environ: dict[str, str] | None = None, **options: Any) -> Plan:
    return Plan(Options(state_dir=tmp_path, **options), environ or {})


def test_everything_outside_is_stood_in_for_by_default(tmp_path: Path) -> None:
    full = plan(tmp_path)
    assert list(full.engines) == ["kafka", "valkey"]
    assert [spec.name for spec in full.simulator_specs()] == [
        "simulator-twilio",
        "simulator-imis",
        "simulator-mail",
    ]
    assert [spec.name for spec in full.service_specs()] == [f"{name}-1" for name in SERVICES]


def test_what_the_environment_names_is_not_started(tmp_path: Path) -> None:
    environ = {
        "TEXTMANAGER_KAFKA_URL": "kafka.example:9092",
        "TEXTMANAGER_REDIS_URL": "redis://redis.example/0",
        "TEXTMANAGER_DATABASE_URL": "postgresql://db.example/text",
        "TEXTMANAGER_TWILIO_URL": "https://twilio.example",
        "TEXTMANAGER_IMIS_URL": "https://imis.example",
        "TEXTMANAGER_SMTP_URL": "smtps://user:secret@mail.example",
        "TEXTMANAGER_PUBLIC_URL": "https://texts.example",
    }
    outside = plan(tmp_path, environ=environ)
    assert (outside.engines, outside.simulator_specs()) == ({}, [])
    told = outside.environment("sender-1", 20001)
    assert {name: told[name] for name in environ} == environ
    assert outside.addresses.mail_page == ""


def test_x20_mails_go_to_a_page_of_this_machine_unless_a_server_is_named(tmp_path: Path) -> None:
    full = plan(tmp_path)
    [sink] = [spec for spec in full.simulator_specs() if spec.name == "simulator-mail"]
    assert sink.url == full.addresses.mail_page
    told = full.environment("notifier-1", 20001)["TEXTMANAGER_SMTP_URL"]
    assert sink.command.argv[-2:] == ("--smtp-port", told.removeprefix("smtp://127.0.0.1:"))


def test_postgresql_is_an_engine_when_it_is_asked_for(tmp_path: Path) -> None:
    full = plan(tmp_path, database="postgresql")
    server = full.engines["postgresql"]
    assert isinstance(server, PostgreSQL)
    told = full.environment("sender-1", 20001)["TEXTMANAGER_DATABASE_URL"]
    assert told == server.database_url
    assert re.fullmatch(rf"postgresql://\w+:[\w-]{{43}}@127.0.0.1:{server.port}/\w+", told)
    # What is shown of it has no password.
    assert server.url == re.sub(r":[\w-]{43}@", "@", told)
    assert database_of(tmp_path, {}) == f"sqlite:///{tmp_path}/data"
    (tmp_path / "postgresql" / "data").mkdir(parents=True)
    assert database_of(tmp_path, {}) == told


def test_a_state_goes_on_with_the_database_that_it_has(tmp_path: Path) -> None:
    kept, files = tmp_path / "kept", tmp_path / "files"
    (kept / "postgresql" / "data").mkdir(parents=True)
    assert "postgresql" in plan(kept).engines
    with pytest.raises(UserError, match="keeps its data in postgresql, and sqlite would begin"):
        plan(kept, database="sqlite")
    (files / "data").mkdir(parents=True)
    assert "postgresql" in plan(files, database="postgresql").engines
    (files / "data" / "sender.sqlite").touch()
    with pytest.raises(UserError, match="keeps its data in sqlite, and postgresql would begin"):
        plan(files, database="postgresql")


def test_a_database_of_the_users_and_one_of_ours_exclude_each_other(tmp_path: Path) -> None:
    environ = {"TEXTMANAGER_DATABASE_URL": "postgresql://db.example/text"}
    with pytest.raises(UserError, match="leave one of them out"):
        plan(tmp_path, environ=environ, database="postgresql")
    assert database_of(tmp_path, environ) == "postgresql://db.example/text"


def test_each_process_has_its_place_port_and_log(tmp_path: Path) -> None:
    specs = plan(tmp_path, services=("sender",), replicas={"sender": 3}).service_specs()
    assert [spec.name for spec in specs] == ["sender-1", "sender-2", "sender-3"]
    assert len({spec.port for spec in specs}) == 3
    for spec in specs:
        env = spec.command.env
        assert env["TEXTMANAGER_INSTANCE"] == spec.name
        assert env["TEXTMANAGER_HTTP_PORT"] == str(spec.port)
        assert env["TEXTMANAGER_HTTP_HOST"] == "127.0.0.1"
        assert env["TEXTMANAGER_STATE"] == str(tmp_path)
        assert env["TEXTMANAGER_DATABASE_URL"] == f"sqlite:///{tmp_path}/data"
        assert spec.log == tmp_path / "logs" / f"{spec.name}.log"


def test_a_process_has_the_environment_that_was_given_and_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTMANAGER_TOPIC_PREFIX", "ours.")
    given = {"TEXTMANAGER_SENDER_LEASE": "4", "TEXTMANAGER_INSTANCE": "overruled"}
    planned = plan(tmp_path, environ=given, services=("sender",))
    for spec in (*planned.simulator_specs(), *planned.service_specs()):
        assert spec.command.environment["TEXTMANAGER_SENDER_LEASE"] == "4"
        assert "TEXTMANAGER_TOPIC_PREFIX" not in spec.command.environment
    assert spec.command.environment["TEXTMANAGER_INSTANCE"] == "sender-1"


def test_a_second_plan_has_the_same_addresses_and_secrets(tmp_path: Path) -> None:
    first, second = plan(tmp_path), plan(tmp_path)
    assert first.addresses == second.addresses
    assert first.environment("x", 1) == second.environment("x", 1)


def test_secrets_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    token = plan(tmp_path).environment("x", 1)["TEXTMANAGER_OPERATOR_TOKEN"]
    files = list((tmp_path / "keys").iterdir())
    assert token in {file.read_text() for file in files}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_given_port_is_used(tmp_path: Path) -> None:
    assert plan(tmp_path, ports={"gateway": 19123}).addresses.gateway == "http://127.0.0.1:19123"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"services": ("sendr",)}, "no service 'sendr': the services are gateway, scheduler"),
        ({"replicas": {"sender": 0}}, "sender can have 1 to 32 replicas, not 0"),
        (
            {"services": ("gateway",), "replicas": {"sender": 2}},
            "sender is to have replicas and is not among the services",
        ),
        ({"ports": {"post": 25}}, "no process 'post' to give a port"),
        ({"ports": {"kafka": 19124, "gateway": 19124}}, "19124 is asked for gateway and kafka"),
    ],
)
def test_a_slip_of_the_pen_is_told(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        plan(tmp_path, **options)
