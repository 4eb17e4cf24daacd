"""Ports on 127.0.0.1 that stay the same from one start to the next."""

import json
import random
import socket
from pathlib import Path

from textmanager.errors import UserError
from textmanager.files import write_atomically

HOST = "127.0.0.1"

# Below the ephemeral ranges of Linux (32768) and macOS (49152): an outgoing connection of some
# other program can then never take the port of an engine that is just being restarted.
LOWEST, HIGHEST = 20000, 31999
ATTEMPTS = 200
MAX_PORT = 65535


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection that lingers in TIME_WAIT does not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # Two binds with SO_REUSEADDR can both succeed; only one socket can listen.
            probe.listen(1)
        except OSError:
            return False
    return True


def _permitted(port: int) -> bool:
    """Whether this user may listen on the port at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((HOST, port))
        except PermissionError:
            return False
        except OSError:
            return True
    return True


def free_port(*, taken: frozenset[int] = frozenset()) -> int:
    """A port that nothing listens on, outside the range of outgoing connections."""
    for _ in range(ATTEMPTS):
        port = random.randint(LOWEST, HIGHEST)
        if port not in taken and is_free(port):
            return port
    raise UserError(
        f"No free port was found between {LOWEST} and {HIGHEST}; end some of the programs "
        "that listen there."
    )


class Ports:
    """The ports of one state directory, by name, remembered in its `ports.json`."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "ports.json"

    def assign(self, name: str, *, given: int | None = None) -> int:
        """The port for `name`: the given one, else the one of last time, else a free one.

        Raises UserError when the given port is in use. A remembered port that somebody else
        has taken meanwhile is replaced, since nobody asked for it.
        """
        known = self._read()
        if given is not None:
            if not 1 <= given <= MAX_PORT:
                raise UserError(
                    f"Port {given}, asked for {name}, does not exist: choose one from 1 to "
                    f"{MAX_PORT}."
                )
            if not _permitted(given):
                raise UserError(
                    f"Port {given}, asked for {name}, is not for everybody to listen on: choose "
                    "one from 1024 on."
                )
            if not is_free(given):
                raise UserError(
                    f"Port {given}, asked for {name}, is in use: end the program that listens "
                    "on it, or choose another port."
                )
            port = given
        elif (port_then := known.get(name)) is not None and is_free(port_then):
            return port_then
        else:
            port = free_port(taken=frozenset(known.values()))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps({**known, name: port}, indent=1))
        return port

    def remembered(self, name: str) -> int | None:
        """The port of last time, whether or not its server runs now."""
        return self._read().get(name)

    def _read(self) -> dict[str, int]:
        try:
            known = json.loads(self._path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return {str(name): int(port) for name, port in known.items()}
