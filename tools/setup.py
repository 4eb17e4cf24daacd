"""Makes `.venv` as the lock says; what `make` calls before everything else.

Only the standard library, in words that Python 3.6 understands, so that an old Python is told
that it is too old rather than shown a syntax error: hence the annotations in quotation marks.
Does nothing when nothing has changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

OLDEST = (3, 11)
NEEDED_GIGABYTES = 2
STAMP = "textmanager-setup.sha256"
PINNED_INSTALLER = "uv"


class SetupError(Exception):
    """Something to put right, in one sentence."""


def check_python(version: "tuple[int, ...]" = sys.version_info[:2]) -> None:
    """Raise SetupError when this Python is too old."""
    if tuple(version) < OLDEST:
        raise SetupError(
            "Python {}.{} is too old, {}.{} or newer is needed: run `make PYTHON=python3.11` with "
            "the name of a newer one.".format(*version[:2], *OLDEST)
        )


def check_venv_module() -> None:
    """Raise SetupError when this Python cannot make virtual environments."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - some systems leave it out
        import venv  # noqa: F401, PLC0415
    except ImportError:
        raise SetupError(
            "This Python cannot make virtual environments: install its venv package (on Debian "
            "and Ubuntu python3-venv), or run `make PYTHON=...` with another Python."
        ) from None


def check_space(root: Path, free: "int | None" = None) -> None:
    """Raise SetupError when the disk is too full for the environment."""
    available = shutil.disk_usage(str(root)).free if free is None else free
    if available < NEEDED_GIGABYTES << 30:
        raise SetupError(
            f"The disk that holds {root} has only {available >> 20} MB free, and the environment "
            f"needs {NEEDED_GIGABYTES} GB: free some space and run make again."
        )


def members(root: Path) -> "list[Path]":
    """The workspace's member directories, those that exist by the layout."""
    found = [root / "contracts", root / "simulators", root / "cli"]
    for group in ("libs", "services"):
        found += sorted((root / group).iterdir()) if (root / group).is_dir() else []
    return [path for path in found if (path / "pyproject.toml").is_file()]


def fingerprint(root: Path) -> str:
    """What the environment depends on: the lock, each member's project file, this Python."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [root / "requirements.lock", *(m / "pyproject.toml" for m in members(root))]:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def pinned(lock: str, package: str) -> str:
    """The lines of one package, with its hashes, cut from the lock."""
    kept: list[str] = []
    for line in lock.splitlines():
        if kept and not line.startswith((" ", "\t")):
            break
        if kept or line.startswith(package + "=="):
            kept.append(line)
    if not kept:
        raise SetupError(f"requirements.lock does not pin {package}: run `make lock`.")
    return "\n".join(kept) + "\n"


def make_environment(directory: Path) -> None:
    """Make an empty environment unless a working one is there."""
    python = directory / "bin" / "python"
    if python.exists() and _runs([str(python), "-c", "import pip"]):
        return
    if directory.exists() and not (directory / "pyvenv.cfg").exists() and any(directory.iterdir()):
        raise SetupError(f"{directory} is no virtual environment: move it away and try again.")
    _run([sys.executable, "-m", "venv", "--clear", str(directory)], "The environment")


def install(root: Path, directory: Path) -> None:
    """Install the pinned installer, then the locked packages, then the members."""
    python = str(directory / "bin" / "python")
    lock = root / "requirements.lock"
    with tempfile.TemporaryDirectory() as temporary:
        only_installer = Path(temporary) / "installer.txt"
        only_installer.write_text(pinned(lock.read_text(), PINNED_INSTALLER))
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        _run(
            [python, "-m", "pip", "install", *options, "-r", str(only_installer)],
            "The installer",
        )
    uv = [str(directory / "bin" / "uv"), "pip"]
    # Compiled once here: otherwise each of a dozen processes compiles what it imports.
    options = ["--quiet", "--require-hashes", "--compile-bytecode"]
    _run([*uv, "sync", *options, str(lock)], "The packages", directory)
    editable = [word for member in members(root) for word in ("-e", str(member))]
    options = ["--quiet", "--no-deps", "--no-build-isolation"]
    _run([*uv, "install", *options, *editable], "The workspace's own packages", directory)
    sources = [str(member / "src") for member in members(root)]
    _run([python, "-m", "compileall", "-q", *sources], "The workspace's own packages")


def set_up(root: Path) -> None:
    """Bring `.venv` to what the lock and the members say."""
    check_python()
    directory = root / ".venv"
    stamp = directory / STAMP
    wanted = fingerprint(root)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    check_venv_module()
    check_space(root)
    print("Setting up .venv (a minute the first time) ...", flush=True)
    if stamp.exists():
        # An interrupted set-up must not pass for a finished one.
        stamp.unlink()
    make_environment(directory)
    install(root, directory)
    stamp.write_text(wanted)


def _runs(command: "list[str]") -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: "list[str]", what: str, environment: "Path | None" = None) -> None:
    """Run one step; its last words become part of the sentence when it fails."""
    variables: dict[str, str] = dict(os.environ)
    if environment is not None:
        variables["VIRTUAL_ENV"] = str(environment)
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=variables, cwd="/"
    )
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()
        told = " ".join(line.strip() for line in words[-6:])[-500:]
        raise SetupError(
            f"{what} could not be installed: check the network, the proxy settings and the disk, "
            f"then run make again (it said: {told})."
        )


def main() -> NoReturn:
    """Set up, or say in one sentence why not."""
    try:
        set_up(Path(__file__).resolve().parent.parent)
    except (SetupError, OSError) as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit("Interrupted; run make again to go on.")
    sys.exit(0)


if __name__ == "__main__":
    main()
