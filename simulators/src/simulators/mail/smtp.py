"""The SMTP side: takes every mail, unless a fault says otherwise."""

import asyncio
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from simulators.mail.box import Box
from simulators.shared import Faults

BUSY = "421 4.3.2 Try again later"
_AT_RECIPIENT = {
    "451": "451 4.3.0 Try again later",
    "550": "550 5.1.1 No such mailbox",
}
_AT_DATA = {
    "451_data": "451 4.3.0 Try again later",
    "550_data": "550 5.7.1 Refused",
}
KNOWN = frozenset({"421", "drop_after_data", "hang_after_data", *_AT_RECIPIENT, *_AT_DATA})
"""A rule can match `to` (a recipient, or all of them in a row after DATA) and `from`."""


class Sink:
    """What aiosmtpd asks at each step of a conversation."""

    def __init__(self, box: Box, faults: Faults) -> None:
        self._box = box
        self._faults = faults

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Begin a mail."""
        if self._faults.pick({"from": address}, {"421"}):
            return BUSY
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient."""
        facts = {"from": envelope.mail_from or "", "to": address}
        if rule := self._faults.pick(facts, _AT_RECIPIENT.keys()):
            return _AT_RECIPIENT[rule.name]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take the mail itself."""
        facts = {"from": envelope.mail_from or "", "to": ",".join(envelope.rcpt_tos)}
        rule = self._faults.pick(facts, {"drop_after_data", "hang_after_data", *_AT_DATA})
        if rule is not None and rule.name in _AT_DATA:
            return _AT_DATA[rule.name]
        content = envelope.original_content
        self._box.take(content if content is not None else b"", list(envelope.rcpt_tos))
        # From here on it has the mail, and the sender doesn't know.
        if rule is not None and rule.name == "hang_after_data":
            await asyncio.sleep(float(rule.params.get("seconds", 60)))
        elif rule is not None and server.transport is not None:
            server.transport.close()
        return "250 OK"


class Listener:
    """The port that mails come to."""

    def __init__(self, box: Box, faults: Faults, *, host: str, port: int) -> None:
        self._sink = Sink(box, faults)
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens; another than was asked for if that was 0."""
        assert self._server is not None, "it listens"
        return int(self._server.sockets[0].getsockname()[1])

    async def open(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._talk, self._host, self._port)

    async def close(self) -> None:
        """Take no more mails."""
        if self._server is not None:
            self._server.close()

    def _talk(self) -> Any:
        # The name is told in the greeting; to look it up could take seconds.
        return SMTP(self._sink, hostname="mail.simulated", ident="Simulated mail", timeout=60)
