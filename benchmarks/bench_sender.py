"""How many texts a second one sender process gets accepted, and what each costs.

    python benchmarks/bench_sender.py [MESSAGES] [ANSWER_MS]

A real Kafka and Valkey, and the simulated Twilio as a process of its own; everything on
127.0.0.1, ended by itself.
"""

import asyncio
import cProfile
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
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

ACCOUNT, TOKEN, NUMBER = "AC" + "1" * 32, "token", "+18885550100"
ORGANIZATION = ids.organization_id("bench")


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
            numbers=(SendingNumber(number=NUMBER, segments_per_second=1_000_000),),
            imis=ImisAccess(url="http://127.0.0.1:1", username="u", password_encrypted="x"),
            twilio=TwilioAccess(
                account_sid=ACCOUNT, auth_token_encrypted=box.seal(SecretStr(TOKEN))
            ),
        ),
    )


def pages(count: int) -> list[RecipientsResolved]:
    campaign = uuid4()
    run = ids.run_id(campaign, "launch:1")
    recipients = []
    for row in range(1, count + 1):
        recipient = ids.recipient_id(run, row)
        recipients.append(
            Recipient(
                recipient_id=recipient,
                message_id=ids.message_id(recipient),
                row=row,
                imis_id=str(row),
                to=f"+1202{2_000_000 + row}",
                text="Hello Zoe, your dues of $120.00 are due on 1 May.",
                segments=1,
            )
        )
    return [
        RecipientsResolved(
            organization_id=ORGANIZATION,
            occurred_at=datetime.now(UTC),
            sequence=start // 500 + 1,
            run_id=run,
            campaign_id=campaign,
            mode=Mode.LIVE,
            write_to=WriteTo.ACTIVITY,
            from_number=NUMBER,
            recipients=tuple(recipients[start : start + 500]),
        )
        for start in range(0, count, 500)
    ]


async def accepted(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /_sim/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    body = (await reader.read()).rpartition(b":")[2]
    writer.close()
    return int(body.strip(b"} \r\n"))


async def main(count: int, answer_ms: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        kafka, valkey = Kafka(state / "engines"), Valkey(state / "engines")
        port_file = state / "port"
        simulator = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs yet.
            [
                *(sys.executable, "-m", "simulators.twilio", "--state", str(state / "twilio")),
                *("--port-file", str(port_file), "--account", f"{ACCOUNT}:{TOKEN}"),
                *("--no-special-endings", "--answer-ms", str(answer_ms)),
                *("--sent-after-ms", "600000"),
            ],
            stdout=subprocess.DEVNULL,
        )
        try:
            for engine in (kafka, valkey):
                await asyncio.to_thread(engine.start)
                await asyncio.to_thread(engine.wait_ready)
            await create_topics(kafka.url, TOPICS)
            while not port_file.exists():
                await asyncio.sleep(0.05)
            await measure(count, kafka.url, valkey.url, int(port_file.read_text()), state)
        finally:
            simulator.terminate()
            simulator.wait()
            await asyncio.to_thread(valkey.stop)
            await asyncio.to_thread(kafka.stop)


async def measure(count: int, kafka_url: str, redis_url: str, port: int, state: Path) -> None:
    key = SecretStr(Fernet.generate_key().decode())
    settings = ServiceSettings(
        kafka_url=kafka_url,
        database_url=f"sqlite:///{state}/data",
        secret_key=key,
        instance="bench-1",
    )
    own = SenderSettings(
        redis_url=SecretStr(redis_url),
        twilio_url=f"http://127.0.0.1:{port}",
        public_url="http://127.0.0.1:9",
    )
    service = make(settings, own)
    await service.store.create_tables()
    running = asyncio.create_task(service.run())
    while not service.ready:
        if running.done():
            running.result()
        await asyncio.sleep(0.01)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_url)
    await producer.start()
    profile = cProfile.Profile() if os.environ.get("PROFILE") else None
    used, began = cpu(), time.monotonic()
    if profile:
        profile.enable()
    for event in [settings_event(SecretBox(key)), *pages(count)]:
        record_key, value, headers = encode(seal(event))
        await producer.send(event.topic, key=record_key, value=value, headers=headers)
    await producer.flush()
    first = 0.0
    while (found := await accepted(port)) < count:
        if found and not first:
            first = time.monotonic() - began
        await asyncio.sleep(0.05)
    seconds = time.monotonic() - began
    if profile:
        profile.disable()
        profile.print_stats("tottime")
    print(
        f"{count} accepted in {seconds:.2f} s: {count / (seconds - first):.0f}/s after the first "
        f"({first:.2f} s), {(cpu() - used) / count * 1e6:.0f} us CPU a message in the sender"
    )
    await producer.stop()
    service.stop_requested.set()
    await running


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    uvloop.run(main(int((sys.argv[1:2] or ["5000"])[0]), int((sys.argv[2:3] or ["0"])[0])))
