"""Mails by SMTP: each under one Message-ID, whatever became of an earlier try."""

import ssl
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, parseaddr
from typing import Literal, cast
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import aiosmtplib
from pydantic import SecretStr

from notifier.domain.letters import Letter, Verdict, one_line
from notifier.ports import PostClosed

Starttls = Literal["auto", "always", "never"]
_PERMANENT = 500
_CLOSING = 421
_MEDIA = {"csv": "text", "zip": "application"}


class BadAddress(ValueError):
    """The mail server's address, or whom mails are from, can't be used; it says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails are handed over."""

    host: str
    port: int
    tls: bool
    starttls: Starttls
    username: str = field(default="", repr=False)
    password: SecretStr | None = None

    @classmethod
    def at(cls, url: SecretStr) -> "Server":
        """Return the server of an address such as `smtp://user:password@host:587`."""
        try:
            parts = urlsplit(url.get_secret_value())
            port = parts.port
        except ValueError as error:
            raise BadAddress("TEXTMANAGER_SMTP_URL is no address") from error
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise BadAddress("TEXTMANAGER_SMTP_URL must be smtp://HOST:PORT or smtps://HOST:PORT")
        wanted = parse_qs(parts.query).get("starttls", [""])[-1]
        # A password is told to nobody who can't be sure to be the server.
        starttls = wanted or ("always" if parts.username else "auto")
        if starttls not in {"auto", "always", "never"}:
            raise BadAddress("starttls in TEXTMANAGER_SMTP_URL is always, never or auto")
        tls = parts.scheme == "smtps"
        return cls(
            parts.hostname,
            port or (465 if tls else 587 if parts.username else 25),
            tls,
            cast("Starttls", starttls),
            unquote(parts.username or ""),
            SecretStr(unquote(parts.password)) if parts.password else None,
        )


class SmtpPost:
    """The mail server that the settings name; without one, mail waits."""

    def __init__(self, url: SecretStr | None, *, sender: str, timeout: float) -> None:
        self._server = Server.at(url) if url is not None and url.get_secret_value() else None
        self._timeout = timeout
        name, address = parseaddr(one_line(sender))
        try:
            self._sender = Address(name, addr_spec=address)
        except (ValueError, IndexError) as error:
            raise BadAddress("TEXTMANAGER_NOTIFIER_FROM must be NAME <ADDRESS>") from error
        if not (self._sender.username and self._sender.domain):
            raise BadAddress("TEXTMANAGER_NOTIFIER_FROM must be NAME <ADDRESS>")

    async def deliver(self, letter: Letter, to: Collection[str]) -> dict[str, Verdict]:
        """Hand over a mail for some of its addresses; raises `PostClosed`.

        Who was neither taken nor refused may have got it: it comes again under its Message-ID.
        """
        server = self._server
        if server is None:
            raise PostClosed("no mail server is set")
        content = self.message(letter).as_bytes()
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls,
            start_tls={"auto": None, "always": True, "never": False}[server.starttls]
            if not server.tls
            else False,
            username=server.username or None,
            password=None if server.password is None else server.password.get_secret_value(),
            timeout=self._timeout,
            tls_context=ssl.create_default_context(),
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            client.close()
            # A wrong password too: it is ours to mend, and no recipient's fault.
            raise PostClosed(type(error).__name__) from None
        try:
            return await self._hand_over(client, content, sorted(to))
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
            client.close()

    def message(self, letter: Letter) -> EmailMessage:
        """Return the mail as it goes over the wire; the same letter is the same mail."""
        message = EmailMessage(policy=WIRE)
        message["Message-ID"] = self._message_id(letter.mail_id)
        message["From"] = self._sender
        message["To"] = [Address(addr_spec=each) for each in letter.to]
        message["Subject"] = one_line(letter.subject)
        message["Date"] = format_datetime(letter.date)
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        if letter.follows is not None:
            message["In-Reply-To"] = message["References"] = self._message_id(letter.follows)
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        for each in letter.attachments:
            message.add_attachment(
                each.content,
                maintype=_MEDIA[each.subtype],
                subtype=each.subtype,
                filename=each.name,
            )
        # Fixed as well: what is sent again is the same to the byte.
        for number, part in enumerate(p for p in message.walk() if p.is_multipart()):
            part.set_boundary(f"={letter.mail_id.hex}={number}")
        return message

    def _message_id(self, mail_id: UUID) -> str:
        return f"<{mail_id}@{self._sender.domain}>"

    async def _hand_over(
        self, client: aiosmtplib.SMTP, content: bytes, to: list[str]
    ) -> dict[str, Verdict]:
        try:
            answers = await client.sendmail(self._sender.addr_spec, to, content)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {each.recipient: _verdict(each.code) for each in error.recipients}
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPHeloError) as error:
            # It refuses us, and nobody who is to get the mail: that is ours to mend.
            raise PostClosed(str(error.code)) from None
        except aiosmtplib.SMTPResponseException as error:
            if error.code == _CLOSING:
                raise PostClosed("421") from None
            return dict.fromkeys(to, _verdict(error.code))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise PostClosed(type(error).__name__) from None
        refused = {each: _verdict(code) for each, (code, _) in answers[0].items()}
        return dict.fromkeys(to, Verdict.TAKEN) | refused


def _verdict(code: int) -> Verdict:
    return Verdict.REFUSED if code >= _PERMANENT else Verdict.LATER
