"""The demo as a whole: a fresh system, one campaign, its proof, and the end of the system."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import UUID

from rich.console import Console

from textmanager.audit import history
from textmanager.audit_lines import lines
from textmanager.databases import Database
from textmanager.demo.api import Gateway
from textmanager.demo.evidence import Evidence, gather
from textmanager.demo.interlude import Interlude
from textmanager.demo.journey import NAME, Launched, launch, sign_in
from textmanager.demo.mail import until_reported
from textmanager.demo.outside import Outside
from textmanager.demo.progress import Watch
from textmanager.demo.proof import Verdict, prove
from textmanager.demo.recurring import Recurring
from textmanager.demo.report import Timing, as_json, show, timing
from textmanager.errors import INTERRUPTED, UserError
from textmanager.interruption import run_until_signal
from textmanager.plan import Options
from textmanager.seed import TOLL_FREE_NUMBER, seed_demo_organization
from textmanager.supervisor import Supervisor

CATCH_UP_SECONDS = 30.0
_URLS = ("KAFKA", "REDIS", "DATABASE", "TWILIO", "IMIS", "PUBLIC", "SMTP")
_OUTSIDES = frozenset(f"TEXTMANAGER_{name}_URL" for name in _URLS) | {
    "TEXTMANAGER_TOPIC_PREFIX",
    "TEXTMANAGER_SECRET_KEY",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked of the demo."""

    recipients: int = 1000
    rate: float = 100.0
    state_dir: Path | None = None
    keep: bool = False
    as_json: bool = False
    database: Database | None = None


def run(wanted: Wanted) -> int:
    """Conduct the demo; returns 0 only when all witnesses agree."""
    console = Console(stderr=wanted.as_json, highlight=False, soft_wrap=True)
    if wanted.state_dir is not None:
        _require_fresh(wanted.state_dir)
        return _until_signal(wanted, wanted.state_dir, console)
    folder = Path(tempfile.mkdtemp(prefix="textmanager-demo-"))
    try:
        return _until_signal(wanted, folder, console)
    finally:
        if wanted.keep:
            console.print(f"The state is kept: go on with it by `textmanager up --state {folder}`.")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _until_signal(wanted: Wanted, state_dir: Path, console: Console) -> int:
    return run_until_signal(_conduct(wanted, state_dir, console), console, stopped=INTERRUPTED)


def _require_fresh(state_dir: Path) -> None:
    if state_dir.is_dir() and any(state_dir.iterdir()):
        raise UserError(
            f"The demo starts on a fresh state, and {state_dir} is not empty: name another "
            "directory, or remove it."
        )


async def _conduct(wanted: Wanted, state_dir: Path, console: Console) -> int:
    began = time.monotonic()
    console.print("Starting Kafka, Valkey, the simulators and ten services …")
    # Whatever else this machine is set up for, the demo texts nobody: all of it is embedded.
    environ = {name: value for name, value in os.environ.items() if name not in _OUTSIDES}
    options = Options(state_dir=state_dir, recipients=wanted.recipients, database=wanted.database)
    supervisor = Supervisor(options, environ)
    async with supervisor:
        await supervisor.wait_ready()
        await seed_demo_organization(
            gateway_url=supervisor.addresses.gateway,
            operator_token=supervisor.operator_token,
            imis_url=supervisor.addresses.imis,
            segments_per_second=wanted.rate,
        )
        console.print(f"Ready after {time.monotonic() - began:.1f} s\n")
        verdict, times = await _campaign(wanted, supervisor, console)
    console.print(f"\nEverything is stopped. {time.monotonic() - began:.1f} s in all.")
    if wanted.as_json:
        sys.stdout.write(as_json(verdict, times) + "\n")
    return 0 if verdict.agreed else 1


async def _campaign(
    wanted: Wanted, supervisor: Supervisor, console: Console
) -> tuple[Verdict, Timing]:
    addresses = supervisor.addresses
    gateway = Gateway(addresses.gateway)
    outside = Outside(addresses.twilio, addresses.imis)
    say = partial(console.print, markup=False)
    await sign_in(gateway, say=say)
    recurring = await Recurring.schedule(gateway, say=say)
    launched = await launch(gateway, say=say)
    launched_at = time.time()
    interlude = Interlude(
        gateway, outside, launched.campaign_id, launched.run_id, TOLL_FREE_NUMBER, say
    )
    paused_seconds = await interlude.play(launched.summary["will_be_sent_to"])
    run_view = await Watch(gateway, outside, launched.run_id, console).until_over()
    ended_at = time.time()
    if run_view["state"] == "failed":
        raise UserError(f"The run failed: {run_view['failure']}")
    await recurring.until_run()
    evidence, verdict = await _proven(supervisor, gateway, outside, launched)
    times = timing(
        evidence.accepted,
        launched_at=launched_at,
        ended_at=ended_at,
        rate=wanted.rate,
        paused_seconds=paused_seconds,
    )
    show(console, verdict, times)
    await until_reported(addresses.mail_page, NAME, say=say)
    message = _telling(evidence)
    if message is not None:
        steps = await history(addresses.kafka, message)
        title = f"The history of message {message}"
        for line in lines(steps, title=title, width=console.width):
            console.print(line, markup=False)
    return verdict, times


async def _proven(
    supervisor: Supervisor, gateway: Gateway, outside: Outside, launched: Launched
) -> tuple[Evidence, Verdict]:
    """Gather the evidence until it agrees, or for as long as read models may lag behind."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    while True:
        evidence = await gather(
            outside=outside,
            gateway=gateway,
            iqa_path=launched.iqa_path,
            run_id=launched.run_id,
            kafka_url=supervisor.addresses.kafka,
            database_url=supervisor.addresses.database,
            secret_key=supervisor.plan.secret_key,
        )
        verdict = prove(evidence)
        if verdict.agreed or time.monotonic() > deadline:
            return evidence, verdict
        with suppress(TimeoutError):
            await asyncio.sleep(0.5)


def _telling(evidence: Evidence) -> UUID | None:
    """Choose the message whose history says most: an undelivered one, else any."""
    for message_id, changed in evidence.log.status.items():
        if changed.status == "undelivered":
            return message_id
    return next(iter(evidence.log.queued), None)
