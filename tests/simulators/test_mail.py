"""The simulated mail server: what it takes, its pages, its faults, and its record."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from pyreqwest.client import Client, ClientBuilder
from tests.harness import eventually

from simulators.mail.app import MailSimulator
from simulators.shared import running

TO = "author@demo.example"


class Sink:
    """A running mail server, asked as a sender and as a reader."""

    def __init__(self, client: Client, url: str, port: int) -> None:
        self.client, self.url, self.port = client, url, port

    async def send(self, message: EmailMessage, *, to: str = TO) -> None:
        await aiosmtplib.send(
            message,
            sender="textmanager@demo.example",
            recipients=[to],
            hostname="127.0.0.1",
            port=self.port,
            timeout=10,
        )

    async def get(self, path: str) -> Any:
        return await self.client.get(self.url + path).build().send()

    async def mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await (await self.get("/control/mails")).json())["mails"]
        return found

    async def fault(self, name: str, **rule: Any) -> None:
        body = {"name": name, **rule}
        answer = await self.client.post(self.url + "/_sim/faults").body_json(body).build().send()
        assert answer.status == 200


@asynccontextmanager
async def reader(url: str) -> AsyncIterator[Sink]:
    async with ClientBuilder().error_for_status(False).build() as client:
        health = await (await client.get(url + "/_sim/health").build().send()).json()
        yield Sink(client, url, health["smtp_port"])


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    simulator = MailSimulator(state=tmp_path, host="127.0.0.1")
    async with running(simulator.app()) as url, reader(url) as opened:
        yield opened


def mail(subject: str = "Report: Dues", *, attached: bytes = b"row\r\n1\r\n") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = "<one@demo.example>"
    message["From"], message["To"], message["Subject"] = "us@demo.example", TO, subject
    message.set_content("Fine: grüße\n")
    message.add_alternative("<p>Fine</p><script>alert(1)</script>", subtype="html")
    message.add_attachment(attached, maintype="text", subtype="csv", filename="run 1.csv")
    return message


async def test_a_mail_can_be_read_as_json_and_as_pages(sink: Sink) -> None:
    await sink.send(mail("A <b>bold</b> subject"))
    [got] = await sink.mails()
    assert (got["to"], got["recipients"]) == ([TO], [TO])
    assert (got["subject"], got["message_id"]) == ("A <b>bold</b> subject", "<one@demo.example>")
    assert got["text"] == "Fine: grüße\n"
    assert [each["name"] for each in got["attachments"]] == ["run 1.csv"]
    file = await sink.get(got["attachments"][0]["path"])
    assert bytes(await file.bytes()) == b"row\r\n1\r\n"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''run%201.csv"

    listed = await (await sink.get("/")).text()
    assert "A &lt;b&gt;bold&lt;/b&gt; subject" in listed
    shown = await (await sink.get("/mails/1")).text()
    assert '<iframe sandbox="" src="/mails/1/html">' in shown
    assert "<script>" not in shown
    framed = await sink.get("/mails/1/html")
    assert "<script>alert(1)</script>" in await framed.text()
    assert framed.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert (await sink.get("/mails/2")).status == 404
    assert (await sink.get("/mails/1/attachments/1")).status == 404


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("451", aiosmtplib.SMTPRecipientsRefused, 451),
        ("550", aiosmtplib.SMTPRecipientsRefused, 550),
        ("451_data", aiosmtplib.SMTPDataError, 451),
        ("550_data", aiosmtplib.SMTPDataError, 550),
        ("421", aiosmtplib.SMTPSenderRefused, 421),
    ],
)
async def test_it_refuses_on_demand(sink: Sink, fault: str, error: Any, code: int) -> None:
    await sink.fault(fault, times=1)
    with pytest.raises(error) as raised:
        await sink.send(mail())
    told = raised.value
    assert (told.recipients[0] if hasattr(told, "recipients") else told).code == code
    assert await sink.mails() == []
    await sink.send(mail())
    assert len(await sink.mails()) == 1


async def test_it_drops_the_connection_after_it_took_a_mail(sink: Sink) -> None:
    await sink.fault("drop_after_data", match={"to": TO})
    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        await sink.send(mail())
    assert len(await sink.mails()) == 1


async def test_what_it_took_survives_kill_9(tmp_path: Path) -> None:
    first = await started(tmp_path)
    async with reader(await address(tmp_path)) as sink:
        await sink.send(mail("First"))
        await sink.send(mail("Second"))
    first.send_signal(signal.SIGKILL)
    await first.wait()
    again = await started(tmp_path)
    try:
        async with reader(await address(tmp_path)) as sink:
            await sink.send(mail("Third"))
            subjects = [each["subject"] for each in await sink.mails()]
        assert subjects == ["First", "Second", "Third"]
    finally:
        again.terminate()
        await again.wait()


async def started(state: Path) -> Process:
    (state / "port").unlink(missing_ok=True)
    command = [sys.executable, "-m", "simulators.mail", "--state", str(state)]
    return await asyncio.create_subprocess_exec(
        *command, "--port-file", str(state / "port"), stdout=DEVNULL
    )


async def address(state: Path) -> str:
    await eventually((state / "port").exists)
    return f"http://127.0.0.1:{int((state / 'port').read_text())}"
