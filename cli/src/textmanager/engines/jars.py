"""Apache Kafka's jars: fetched once for a user, each checked against the committed checksums.

`kafka_jars.sha256` is what jgo resolved for the coordinates below, in `sha256sum`'s format with
the paths of a Maven repository. Run this module to resolve them anew after changing a version.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from textmanager.errors import UserError
from textmanager.files import locked, require_free_space, write_atomically

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka's jars hold no SLF4J binding, so a broker would be silent. This one is for SLF4J 1.7,
# which Kafka uses, in the version of the log4j-core that Kafka brings.
SLF4J_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"

CHECKSUMS = Path(__file__).with_name("kafka_jars.sha256")
PARALLEL_DOWNLOADS = 8
DOWNLOAD_TIMEOUT_SECONDS = 60
NEEDED_MEBIBYTES = 500

Fetch = Callable[["Jar", Path], Path]


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned jar, by its path in a Maven repository."""

    path: PurePosixPath
    sha256: str

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact and version, as the path spells them."""
        *group, artifact, version, _ = self.path.parts
        return ".".join(group), artifact, version


def cache_dir() -> Path:
    """Where downloads are kept for every state directory of this user (TEXTMANAGER_CACHE)."""
    return Path(os.environ.get("TEXTMANAGER_CACHE") or Path.home() / ".cache" / "textmanager")


def pinned(checksums: Path = CHECKSUMS) -> list[Jar]:
    """The jars that a broker needs, as committed."""
    rows = (line.split() for line in checksums.read_text().splitlines() if line.strip())
    return [Jar(PurePosixPath(path), sha256) for sha256, path in rows]


def ensure(
    cache: Path | None = None,
    *,
    checksums: Path = CHECKSUMS,
    fetch: Fetch | None = None,
) -> list[Path]:
    """The jars on disk, verified; downloads what is missing, however many starts ask at once.

    A complete cache is recognised by its marker and the jars' sizes, without network and
    without hashing 44 MB at each start. Raises UserError when a jar cannot be had or is not
    the one that was pinned.
    """
    jars = pinned(checksums)
    pins = hashlib.sha256(checksums.read_bytes()).hexdigest()
    directory = (cache or cache_dir()) / "kafka" / pins[:16]
    marker = directory / "verified.json"
    paths = [directory / jar.path.name for jar in jars]
    if _is_complete(marker, paths):
        return paths
    require_free_space(directory, mebibytes=NEEDED_MEBIBYTES)
    with locked(directory / "lock"):
        if not _is_complete(marker, paths):
            _fill(directory, jars, fetch or fetch_with_jgo)
            sizes = {path.name: path.stat().st_size for path in paths}
            write_atomically(marker, json.dumps(sizes, indent=1))
    return paths


def _is_complete(marker: Path, paths: Iterable[Path]) -> bool:
    try:
        sizes = json.loads(marker.read_text())
        return all(path.stat().st_size == sizes.get(path.name) for path in paths)
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def _fill(directory: Path, jars: list[Jar], fetch: Fetch) -> None:
    """Put each jar into the directory, by a rename, once its checksum is right."""
    for interrupted in directory.glob("download-*"):
        shutil.rmtree(interrupted, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix="download-", dir=directory) as staging,
        ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool,
    ):
        results = [pool.submit(_place, jar, directory, Path(staging), fetch=fetch) for jar in jars]
        try:
            for result in results:
                result.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _place(jar: Jar, directory: Path, staging: Path, *, fetch: Fetch) -> None:
    target = directory / jar.path.name
    if target.exists() and _sha256(target) == jar.sha256:
        return
    fetched = fetch(jar, staging)
    if (actual := _sha256(fetched)) != jar.sha256:
        raise UserError(
            f"The downloaded {jar.path.name} is not the pinned one (its SHA-256 is {actual[:12]}…, "
            f"{jar.sha256[:12]}… was expected), so it was thrown away: try again, and if it "
            "happens again ask who runs the proxy or mirror in between."
        )
    fetched.replace(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch_with_jgo(jar: Jar, staging: Path) -> Path:
    """Download one jar from Maven Central, or from the mirror that TEXTMANAGER_MAVEN_URL names."""
    # Imported here, since jgo takes 0.4 s and a warm start never needs it.
    import requests  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirror = os.environ.get("TEXTMANAGER_MAVEN_URL")
    group, artifact, version = jar.coordinates
    context = MavenContext(
        repo_cache=staging,
        remote_repos={"mirror": mirror.rstrip("/")} if mirror else None,
        timeout=DOWNLOAD_TIMEOUT_SECONDS,
    )
    try:
        component = context.project(group, artifact).at_version(version)
        return Path(component.artifact().resolve())
    except (requests.RequestException, OSError, RuntimeError) as error:
        raise UserError(
            f"Downloading {jar.path.name} from {mirror or 'Maven Central'} failed "
            f"({type(error).__name__}): check the network or the proxy settings, or set "
            "TEXTMANAGER_MAVEN_URL to a mirror, and run the same command again."
        ) from error


def pin(checksums: Path = CHECKSUMS) -> None:
    """Resolve the coordinates with jgo and rewrite the committed list from what is served now."""
    import jgo  # noqa: PLC0415 - as above

    found: list[tuple[str, ...]] = [
        (a.groupId, a.artifactId, a.version) for a in jgo.resolve(KAFKA)
    ]
    # Not resolved together with Kafka: its parent's dependency management would then decide
    # the versions of Kafka's own libraries.
    found.append(tuple(SLF4J_BINDING.split(":")))
    with tempfile.TemporaryDirectory() as staging:
        lines = []
        for group, artifact, version in found:
            name = f"{artifact}-{version}.jar"
            path = PurePosixPath(*group.split("."), artifact, version, name)
            fetched = fetch_with_jgo(Jar(path, ""), Path(staging))
            lines.append(f"{_sha256(fetched)}  {path}\n")
    checksums.write_text("".join(sorted(lines, key=lambda line: line.split()[1])))


if __name__ == "__main__":
    pin()
    sys.stdout.write(f"Wrote {CHECKSUMS.name}.\n")
