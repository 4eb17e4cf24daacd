"""How well three sender processes share a number's rate: never above, and hardly below.

    python benchmarks/bench_limiter.py [SECONDS]

A real Kafka and Valkey, three senders and the simulated Twilio as processes of their own, all on
127.0.0.1. For 3, 100 and 1,000 segments a second it tells, by the simulator's record and clock,
the most segments in any one second, what is allowed (the rate and the burst), and which share of
the rate was used from the first text to the last. The last line of stdout is one JSON object.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from aiokafka import AIOKafkaProducer
from cryptography.fernet import Fernet
from pydantic import SecretStr

from chassis.secrets import SecretBox
from chassis.settings import ServiceSettings
from contracts import ids
from contracts.envelope import encode, seal
from contracts.events.audience import Recipient, RecipientsResolved
from contracts.events.campaign import Mode, WriteTo
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from contracts.topics import TOPICS
from sender.app import make
from sender.settings import SenderSettings
from textmanager.engines.kafka import Kafka
from textmanager.engines.topics import create_topics
from textmanager.engines.valkey import Valkey
from textmanager.probe import fetch

ACCOUNT, TOKEN = "AC" + "1" * 32, "token"
ORGANIZATION = ids.organization_id("bench")
NUMBERS = {3.0: "+18885550103", 100.0: "+18885550104", 1000.0: "+18885550105"}
SENDERS = 3
BURST_SECONDS = 1.0


def settings_event(box: SecretBox) -> OrganizationSettingsChanged:
    return OrganizationSettingsChanged(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        settings=OrganizationSettings(
            name="Bench",
            cloud_id="bench",
            segments_per_run=10_000_000,
            segments_per_day=10_000_000,
            numbers=tuple(
                SendingNumber(number=number, segments_per_second=rate)
                for rate, number in NUMBERS.items()
            ),
            imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
            twilio=TwilioAccess(
                account_sid=ACCOUNT, auth_token_encrypted=box.seal(SecretStr(TOKEN))
            ),
        ),
    )


def pages(count: int, from_number: str) -> list[RecipientsResolved]:
    campaign = uuid4()
    run = ids.run_id(campaign, "launch:1")
    recipients = [
        Recipient(
            recipient_id=ids.recipient_id(run, row),
            message_id=ids.message_id(ids.recipient_id(run, row)),
            row=row,
            imis_id=str(row),
            to=f"+1202{2_000_000 + row}",
            text="Hello Zoe",
            segments=1,
        )
        for row in range(1, count + 1)
    ]
    return [
        RecipientsResolved(
            organization_id=ORGANIZATION,
            occurred_at=datetime.now(UTC),
            sequence=start // 500 + 1,
            run_id=run,
            campaign_id=campaign,
            mode=Mode.LIVE,
            write_to=WriteTo.ACTIVITY,
            from_number=from_number,
            recipients=tuple(recipients[start : start + 500]),
        )
        for start in range(0, count, 500)
    ]


def judge(entries: list[dict[str, Any]], rate: float) -> dict[str, float]:
    """Say what a lane's record shows; a window is any one second, by the simulator's clock."""
    taken = sorted((entry["accepted_at"], entry["num_segments"]) for entry in entries)
    most = now = start = 0
    for moment, segments in taken:
        now += segments
        while taken[start][0] <= moment - 1.0:
            now -= taken[start][1]
            start += 1
        most = max(most, now)
    first, last = taken[0][0], taken[-1][0]
    used = sum(segments for _, segments in taken[1:]) / ((last - first) * rate)
    allowed = rate + max(1.0, rate * BURST_SECONDS)
    return {"most_in_a_second": most, "allowed": allowed, "share_used": round(used, 4)}


async def record(twilio: str, since: int) -> list[dict[str, Any]]:
    answer = await fetch("GET", f"{twilio}/_sim/messages?since={since}", timeout_seconds=30)
    found: list[dict[str, Any]] = json.loads(answer.body)
    return found


async def measure(producer: AIOKafkaProducer, twilio: str, rate: float, seconds: float) -> Any:
    before = len(await record(twilio, 0))
    count = int(rate * seconds)
    for event in pages(count, NUMBERS[rate]):
        await publish(producer, event)
    deadline = time.monotonic() + seconds * 3 + 30
    while len(entries := await record(twilio, before)) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {len(entries)} of {count} were accepted")
        await asyncio.sleep(1.0)
    return {"segments_per_second": rate, "messages": count, **judge(entries, rate)}


async def publish(producer: AIOKafkaProducer, event: Any) -> None:
    key, value, headers = encode(seal(event))
    await producer.send_and_wait(event.topic, key=key, value=value, headers=headers)


async def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        kafka, valkey = Kafka(state / "engines"), Valkey(state / "engines")
        processes: list[subprocess.Popen[bytes]] = []
        try:
            for engine in (kafka, valkey):
                await asyncio.to_thread(engine.start)
                await asyncio.to_thread(engine.wait_ready)
            await create_topics(kafka.url, TOPICS)
            twilio = await simulated(state, processes)
            key = SecretStr(Fernet.generate_key().decode())
            settings = ServiceSettings(
                kafka_url=kafka.url, database_url=f"sqlite:///{state}/data", secret_key=key
            )
            own = SenderSettings(
                redis_url=SecretStr(valkey.url),
                twilio_url=twilio,
                public_url="http://127.0.0.1:9",
            )
            await senders(settings, own, processes)
            producer = AIOKafkaProducer(bootstrap_servers=kafka.url)
            await producer.start()
            await publish(producer, settings_event(SecretBox(key)))
            # One after the other; the first few texts show that everybody is there.
            await measure(producer, twilio, 100.0, 2.0)
            print(json.dumps([await measure(producer, twilio, r, seconds) for r in NUMBERS]))
            await producer.stop()
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()
            await asyncio.to_thread(valkey.stop)
            await asyncio.to_thread(kafka.stop)


async def simulated(state: Path, processes: list[subprocess.Popen[bytes]]) -> str:
    port_file = state / "port"
    processes.append(
        subprocess.Popen(  # noqa: ASYNC220 - it returns at once.
            [
                *(sys.executable, "-m", "simulators.twilio", "--state", str(state / "twilio")),
                *("--port-file", str(port_file), "--account", f"{ACCOUNT}:{TOKEN}"),
                *("--no-special-endings", "--sent-after-ms", "600000"),
            ],
            stdout=subprocess.DEVNULL,
        )
    )
    while not port_file.exists():
        await asyncio.sleep(0.05)
    return f"http://127.0.0.1:{port_file.read_text()}"


async def senders(
    settings: ServiceSettings, own: SenderSettings, processes: list[subprocess.Popen[bytes]]
) -> None:
    store = make(settings, own).store
    await store.create_tables()
    await store.stop()
    environment = {
        "TEXTMANAGER_KAFKA_URL": settings.kafka_url,
        "TEXTMANAGER_DATABASE_URL": settings.database_url,
        "TEXTMANAGER_REDIS_URL": own.redis_url.get_secret_value(),
        "TEXTMANAGER_TWILIO_URL": own.twilio_url,
        "TEXTMANAGER_PUBLIC_URL": own.public_url,
        "TEXTMANAGER_SECRET_KEY": settings.secret_key.get_secret_value(),
    }
    processes += [
        subprocess.Popen(  # noqa: ASYNC220 - it returns at once.
            [sys.executable, "-c", "from sender.app import main; main()"],
            env={**os.environ, **environment, "TEXTMANAGER_INSTANCE": f"sender-{number}"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(SENDERS)
    ]


if __name__ == "__main__":
    uvloop.run(main(float((sys.argv[1:2] or ["20"])[0])))
