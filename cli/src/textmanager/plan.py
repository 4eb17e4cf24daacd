"""What an `up` runs and what it tells each process: decided here, started elsewhere."""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from textmanager import keys
from textmanager.child import Spec
from textmanager.databases import Database, decided, sqlite_in
from textmanager.engines.engine import Engine
from textmanager.engines.kafka import Kafka
from textmanager.engines.ports import HOST, Ports
from textmanager.engines.postgresql import PostgreSQL
from textmanager.engines.valkey import Valkey
from textmanager.errors import UserError
from textmanager.probe import is_ready
from textmanager.processes import Command
from textmanager.seed import ACCOUNT_SID, AUTH_TOKEN
from textmanager.services import SERVICES, known
from textmanager.supervised import engine_spec, listens

MOST_REPLICAS = 32


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; the defaults are those of `textmanager up`."""

    state_dir: Path = Path(".textmanager")
    services: tuple[str, ...] = SERVICES
    replicas: Mapping[str, int] = field(default_factory=dict)
    # Ports that were asked for, by process name (kafka, gateway, simulator-imis, ...).
    ports: Mapping[str, int] = field(default_factory=dict)
    # How many members the simulated iMIS has, and the seed that they are drawn from.
    recipients: int = 1000
    seed: int = 1
    # None: the one that the state directory has, and SQLite in a new one.
    database: Database | None = None

    def __post_init__(self) -> None:
        for name in (*self.services, *self.replicas):
            known(name)
        if idle := self.replicas.keys() - set(self.services):
            raise UserError(
                f"{min(idle)} is to have replicas and is not among the services to run: name it "
                "with --services too, or leave it out of --replicas."
            )
        for name, count in self.replicas.items():
            if not 1 <= count <= MOST_REPLICAS:
                raise UserError(f"{name} can have 1 to {MOST_REPLICAS} replicas, not {count}.")

    @property
    def slots(self) -> dict[str, str]:
        """Each slot's name, such as sender-2, with its service."""
        return {
            f"{service}-{number}": service
            for service in self.services
            for number in range(1, self.replicas.get(service, 1) + 1)
        }


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything of this installation answers."""

    kafka: str
    redis: str
    database: str
    twilio: str
    imis: str
    smtp: str
    mail_page: str
    """Where the mails can be read; empty where they go to a mail server of the user's."""
    gateway: str
    ingress: str
    public: str


class Plan:
    """The engines, simulators and services to run, with their ports and environment."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self.options = options
        self.state_dir = options.state_dir.resolve()
        self._environ = environ
        self._ports = Ports(self.state_dir)
        unknown = options.ports.keys() - self._names()
        if unknown:
            raise UserError(
                f"There is no process {min(unknown)!r} to give a port: the processes are "
                f"{', '.join(sorted(self._names()))}."
            )
        numbers = Counter(options.ports.values())
        if twice := next((number for number, times in numbers.items() if times > 1), None):
            names = sorted(name for name, number in options.ports.items() if number == twice)
            raise UserError(f"Port {twice} is asked for {' and '.join(names)}: give each its own.")
        self.engines = self._engines()
        self.simulated = tuple(
            name
            for name, setting in (
                ("twilio", "TWILIO_URL"),
                ("imis", "IMIS_URL"),
                ("mail", "SMTP_URL"),
            )
            if not self._outside(setting)
        )
        self.addresses = self._addresses()

    def _names(self) -> set[str]:
        replicas = {slot.removesuffix("-1") for slot in self.options.slots}
        simulators = {f"simulator-{name}" for name in ("twilio", "imis", "mail", "mail-smtp")}
        return {"kafka", "postgresql", "valkey", *simulators, *replicas}

    def _outside(self, name: str) -> str:
        return self._environ.get(f"TEXTMANAGER_{name}", "")

    def _port(self, name: str) -> int:
        given = self.options.ports.get(name, self.options.ports.get(name.removesuffix("-1")))
        return self._ports.assign(name, given=given)

    def _engines(self) -> dict[str, Engine]:
        given = self.options.ports
        engines: dict[str, Engine] = {}
        if not self._outside("KAFKA_URL"):
            engines["kafka"] = Kafka(self.state_dir, given.get("kafka"))
        if not self._outside("REDIS_URL"):
            engines["valkey"] = Valkey(self.state_dir, given.get("valkey"))
        if decided(self.state_dir, self.options.database, self._environ) == "postgresql":
            engines["postgresql"] = PostgreSQL(self.state_dir, given.get("postgresql"))
        return engines

    def _addresses(self) -> Addresses:
        def simulator(name: str) -> str:
            return f"http://{HOST}:{self._port(f'simulator-{name}')}"

        ingress = f"http://{HOST}:{self._port('ingress-1')}"
        smtp = self._outside("SMTP_URL")
        return Addresses(
            kafka=self._outside("KAFKA_URL") or self.engines["kafka"].url,
            redis=self._outside("REDIS_URL") or self.engines["valkey"].url,
            database=self._outside("DATABASE_URL") or self._database_url(),
            twilio=self._outside("TWILIO_URL") or simulator("twilio"),
            imis=self._outside("IMIS_URL") or simulator("imis"),
            smtp=smtp or f"smtp://{HOST}:{self._port('simulator-mail-smtp')}",
            mail_page="" if smtp else simulator("mail"),
            gateway=f"http://{HOST}:{self._port('gateway-1')}",
            ingress=ingress,
            public=self._outside("PUBLIC_URL") or ingress,
        )

    def _database_url(self) -> str:
        match self.engines.get("postgresql"):
            case PostgreSQL() as server:
                return server.database_url
            case _:
                return sqlite_in(self.state_dir)

    def engine_specs(self) -> list[Spec]:
        """The embedded engines, once they are prepared."""
        return [engine_spec(engine) for engine in self.engines.values()]

    def simulator_specs(self) -> list[Spec]:
        """A simulator for each outside whose address is not set."""
        extra = {
            "twilio": (
                *("--account", f"{ACCOUNT_SID}:{AUTH_TOKEN}"),
                *("--inbound-url", f"{self.addresses.public}/twilio/inbound"),
            ),
            "imis": (
                *("--profile", "ems"),
                *("--recipients", str(self.options.recipients)),
                *("--seed", str(self.options.seed)),
            ),
            "mail": ("--smtp-port", str(self._port("simulator-mail-smtp"))),
        }
        return [self._simulator(name, extra[name]) for name in self.simulated]

    def _simulator(self, name: str, extra: tuple[str, ...]) -> Spec:
        state = self.state_dir / "simulators" / name
        port = self._port(f"simulator-{name}")
        state.mkdir(parents=True, exist_ok=True)
        argv = (
            *(sys.executable, "-m", f"simulators.{name}"),
            *("--host", HOST, "--port", str(port)),
            *("--state", str(state), "--port-file", str(state / "port")),
            *extra,
        )
        return Spec(
            name=f"simulator-{name}",
            kind="simulator",
            command=Command(
                argv,
                self.state_dir / "logs" / f"simulator-{name}.log",
                inherited=self._environ,
            ),
            port=port,
            url=f"http://{HOST}:{port}",
            is_ready=partial(listens, port),
        )

    def service_specs(self) -> list[Spec]:
        """One process for each slot."""
        (self.state_dir / "data").mkdir(parents=True, exist_ok=True)
        return [self._service(slot, service) for slot, service in self.options.slots.items()]

    def _service(self, slot: str, service: str) -> Spec:
        port = self._port(slot)
        url = f"http://{HOST}:{port}"
        return Spec(
            name=slot,
            kind="service",
            command=Command(
                (sys.executable, "-m", "textmanager", "run", service),
                self.state_dir / "logs" / f"{slot}.log",
                self.environment(slot, port),
                inherited=self._environ,
            ),
            port=port,
            url=url,
            is_ready=partial(is_ready, f"{url}/readyz"),
        )

    def environment(self, slot: str, port: int) -> dict[str, str]:
        """What a service learns from us: its own place, and everybody's address."""
        at = self.addresses
        return {
            "TEXTMANAGER_INSTANCE": slot,
            "TEXTMANAGER_HTTP_HOST": HOST,
            "TEXTMANAGER_HTTP_PORT": str(port),
            "TEXTMANAGER_STATE": str(self.state_dir),
            "TEXTMANAGER_DATABASE_URL": at.database,
            "TEXTMANAGER_KAFKA_URL": at.kafka,
            "TEXTMANAGER_REDIS_URL": at.redis,
            "TEXTMANAGER_TWILIO_URL": at.twilio,
            "TEXTMANAGER_IMIS_URL": at.imis,
            "TEXTMANAGER_SMTP_URL": at.smtp,
            "TEXTMANAGER_PUBLIC_URL": at.public,
            "TEXTMANAGER_SECRET_KEY": self.secret_key,
            "TEXTMANAGER_OPERATOR_TOKEN": self.operator_token,
        }

    @property
    def secret_key(self) -> str:
        """The key under which credentials are kept."""
        return self._outside("SECRET_KEY") or keys.secret_key(self.state_dir)

    @property
    def operator_token(self) -> str:
        """The token that creates and changes organisations."""
        return self._outside("OPERATOR_TOKEN") or keys.operator_token(self.state_dir)
