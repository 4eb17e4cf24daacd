"""The simulator's ceiling in POSTs a second, and what a message costs the client.

Run: python benchmarks/bench_twilio_simulator.py [messages] [in flight]
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import psutil
import uvloop
from pydantic import SecretStr

from twilio_client import SendRequest, TwilioClient

ACCOUNT, TOKEN = "AC" + "0" * 31 + "1", "simulated-token"


async def post(client: TwilioClient, callback: str, messages: int, in_flight: int) -> float:
    numbers = iter(range(messages))

    async def work() -> None:
        for number in numbers:
            await client.send(
                SendRequest(
                    to=f"+1202{5550000 + number:07d}",
                    from_="+12025550100",
                    body="Hello Ann, the meeting begins at 7 pm on Tuesday. Reply STOP to stop.",
                    status_callback=f"{callback}?m=0190b5a0-0000-7000-8000-{number:012d}",
                )
            )

    began = time.perf_counter()
    await asyncio.gather(*[work() for _ in range(in_flight)])
    return time.perf_counter() - began


async def main(url: str, simulator: psutil.Process, messages: int, in_flight: int) -> None:
    async with TwilioClient(
        account_sid=ACCOUNT, auth_token=SecretStr(TOKEN), base_url=url, max_connections=in_flight
    ) as client:
        await post(client, "http://127.0.0.1:9/none", 500, in_flight)
        before, own = simulator.cpu_times(), time.process_time()
        seconds = await post(client, "", messages, in_flight)
        after = simulator.cpu_times()
        own = time.process_time() - own
        theirs = after.user + after.system - before.user - before.system
        print(f"{messages / seconds:,.0f} POSTs/s with {in_flight} in flight")
        print(f"client {own / messages * 1e6:.0f} us CPU a message")
        print(f"simulator {theirs / messages * 1e6:.0f} us CPU a message")


if __name__ == "__main__":
    count, flying = (int(a) for a in [*sys.argv[1:], "20000", "100"][:2])
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [
            sys.executable,
            "-m",
            "simulators.twilio",
            "--state",
            folder,
            "--no-special-endings",
        ]
        process = psutil.Popen([*command, "--port-file", str(port_file)])
        try:
            while not port_file.exists():
                time.sleep(0.05)
            address = f"http://127.0.0.1:{int(port_file.read_text())}"
            uvloop.run(main(address, process, count, flying))
        finally:
            process.terminate()
            process.wait(10)
