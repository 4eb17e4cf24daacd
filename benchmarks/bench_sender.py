"""How many texts a second one sender process gets accepted, and what each costs.

    python benchmarks/bench_sender.py [MESSAGES] [ANSWER_MS]
    python benchmarks/bench_sender.py MESSAGES ANSWER_MS urgent [RATE]

The second form holds the number to a rate (100 segments a second) and tells how long urgent texts
take, from Kafka to Twilio, while the campaign is still being taken in, and behind all of it.

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
from sqlalchemy import func, select

from chassis.secrets import SecretBox
from chassis.service import Service
from chassis.settings import ServiceSettings
from contracts import ids
from contracts.envelope import encode, seal
from contracts.events.audience import Recipient, RecipientsResolved
from contracts.events.base import Event
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import MessageRequested
from contracts.events.organization import (
    ImisAccess,
    OrganizationSettings,
    OrganizationSettingsChanged,
    SendingNumber,
    TwilioAccess,
)
from contracts.topics import TOPICS
from sender.adapters.tables import MESSAGES
from sender.app import make
from sender.domain.messages import State
from sender.settings import SenderSettings
from textmanager.engines.kafka import Kafka
from textmanager.engines.topics import create_topics
from textmanager.engines.valkey import Valkey

ACCOUNT, TOKEN, NUMBER = "AC" + "1" * 32, "token", "+18885550100"
ORGANIZATION = ids.organization_id("bench")


def settings_event(box: SecretBox, rate: float = 1_000_000) -> OrganizationSettingsChanged:
    return OrganizationSettingsChanged(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        settings=OrganizationSettings(
            name="Bench",
            cloud_id="bench",
            segments_per_run=10_000_000,
            segments_per_day=10_000_000,
            numbers=(SendingNumber(number=NUMBER, segments_per_second=rate),),
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


def urgent(key: int) -> MessageRequested:
    run = ids.single_run_id(ORGANIZATION, "urgent", str(key))
    recipient = ids.recipient_id(run, 1)
    return MessageRequested(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=run,
        campaign_id=ids.single_texts_id(ORGANIZATION, "urgent"),
        recipient_id=recipient,
        message_id=ids.message_id(recipient),
        to=f"+1303{2_000_000 + key}",
        from_number=NUMBER,
        text="The hall is closed today.",
        segments=1,
    )


async def main(count: int, answer_ms: int, rate: float | None) -> None:
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
            port = int(port_file.read_text())
            await measure(count, kafka.url, valkey.url, port, state, rate=rate)
        finally:
            simulator.terminate()
            simulator.wait()
            await asyncio.to_thread(valkey.stop)
            await asyncio.to_thread(kafka.stop)


async def measure(
    count: int, kafka_url: str, redis_url: str, port: int, state: Path, *, rate: float | None
) -> None:
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
    if rate is not None:
        await overtake(count, rate, producer, SecretBox(key), service)
        await producer.stop()
        service.stop_requested.set()
        await running
        return
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


async def overtake(
    count: int, rate: float, producer: AIOKafkaProducer, box: SecretBox, service: Service
) -> None:
    async def say(event: Event) -> None:
        record_key, value, headers = encode(seal(event))
        await producer.send_and_wait(event.topic, key=record_key, value=value, headers=headers)

    async def seconds(key: int) -> float:
        asked, began = urgent(key), time.monotonic()
        await say(asked)
        known = select(MESSAGES.c.state).where(MESSAGES.c.message_id == asked.message_id)
        while True:
            async with service.store.read() as connection:
                if await connection.scalar(known) == State.ACCEPTED:
                    return time.monotonic() - began
            await asyncio.sleep(0.01)

    async def waiting() -> int:
        async with service.store.read() as connection:
            return await connection.scalar(select(func.count()).select_from(MESSAGES)) or 0

    await say(settings_event(box, rate))
    for page in pages(count):
        await say(page)
    meanwhile = [await seconds(key) for key in range(5)]
    while await waiting() < count:
        await asyncio.sleep(0.1)
    behind = [await seconds(key) for key in range(5, 15)]
    print(
        f"urgent, {rate:.0f} segments a second: at most {max(meanwhile):.2f} s while {count} come "
        f"in, at most {max(behind):.2f} s behind them"
    )


def cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    given = [*sys.argv[1:], *("5000", "0")[len(sys.argv[1:]) :]]
    limited = float([*given, "100"][3]) if given[2:3] == ["urgent"] else None
    uvloop.run(main(int(given[0]), int(given[1]), limited))
