"""The whole product as separate processes, with simulated outsides, for every feature's tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.databases import DATABASE
from tests.e2e.features.organization import Addresses, Organization, ask, until

from textmanager import runfile

# Seconds where minutes or hours are usual, so that a test sees what comes of them.
SHORT_TIMES = {
    "TEXTMANAGER_NOTIFIER_SILENCE_GRACE": "10",
    "TEXTMANAGER_NOTIFIER_SILENCE_POLL": "1",
    "TEXTMANAGER_NOTIFIER_REVIEWS_SETTLE": "1",
    "TEXTMANAGER_NOTIFIER_ACTIVITIES_QUIET": "1",
    "TEXTMANAGER_NOTIFIER_LATE_QUIET": "1",
    "TEXTMANAGER_NOTIFIER_LATE_REPORT_AFTER": "6",
}
ACCOUNTS = [(number, f"AC{number:032x}", f"token-{number}") for number in range(1, 80)]


@dataclass(slots=True)
class System:
    """Everything that runs."""

    at: Addresses
    state: Path
    accounts: Iterator[tuple[int, str, str]] = field(repr=False)

    def organization(self, *, version: str = "ems", **settings: Any) -> Organization:
        """Found an organisation of a test's own, with a Twilio account of its own."""
        number, sid, token = next(self.accounts)
        made = Organization(
            self.at,
            cloud_id=f"org-{number}",
            account_sid=sid,
            number=f"+1888555{number:04}",
            first_id=number * 10_000,
            imis=self.at.imis if version == "ems" else self.at.imis_2017,
        )
        made.found(auth_token=token, version=version, **settings)
        return made


@contextmanager
def running_system(folder: Path) -> Iterator[System]:
    """Run everything until the block ends."""
    state = folder / "state"
    with _simulators(folder) as (twilio, imis, imis_2017), _up(state, twilio, imis):
        running = {each.name: each.url for each in runfile.read(state)}
        ingress = running["ingress-1"]
        inbound = {"inbound_url": f"{ingress}/twilio/inbound"}
        assert ask("POST", f"{twilio}/_sim/settings", inbound).status == 200
        at = Addresses(
            gateway=running["gateway-1"],
            mail=running["simulator-mail"],
            twilio=twilio,
            imis=imis,
            imis_2017=imis_2017,
            operator_token=(state / "keys" / "operator.token").read_text().strip(),
        )
        yield System(at, state=state, accounts=iter(ACCOUNTS))


@contextmanager
def _simulators(folder: Path) -> Iterator[tuple[str, str, str]]:
    accounts = [part for _, sid, token in ACCOUNTS for part in ("--account", f"{sid}:{token}")]
    wanted = {
        "twilio": ("twilio", *accounts),
        "imis": ("imis",),
        "imis-2017": ("imis", "--profile", "2017"),
    }
    processes = []
    try:
        for name, (module, *more) in wanted.items():
            place = folder / name
            place.mkdir(parents=True)
            processes.append(
                subprocess.Popen(
                    (
                        *(sys.executable, "-m", f"simulators.{module}", "--state", str(place)),
                        *("--port", "0", "--port-file", str(place / "port"), *more),
                    )
                )
            )
        twilio, imis, imis_2017 = (_address(folder / name / "port") for name in wanted)
        yield twilio, imis, imis_2017
    finally:
        for each in processes:
            each.terminate()
        for each in processes:
            each.wait(timeout=20)


@contextmanager
def _up(state: Path, twilio: str, imis: str) -> Iterator[None]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TEXTMANAGER_")}
    outsides = {"TEXTMANAGER_TWILIO_URL": twilio, "TEXTMANAGER_IMIS_URL": imis}
    process = subprocess.Popen(
        (sys.executable, "-m", "textmanager", "up", "--state", str(state), "--database", DATABASE),
        env=clean | SHORT_TIMES | outsides,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C stops everything" in line:
                break
        else:
            raise AssertionError("up ended before it was ready")
        yield
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _address(port_file: Path) -> str:
    port = until(lambda: port_file.read_text().strip() if port_file.exists() else "")
    return f"http://127.0.0.1:{port}"
