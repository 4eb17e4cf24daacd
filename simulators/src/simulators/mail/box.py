"""The mails that were taken, kept in a file that survives the process."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from simulators.shared import Record


@dataclass(frozen=True, slots=True)
class Summary:
    """What the list shows of a mail."""

    number: int
    offset: int
    message_id: str
    subject: str
    sender: str
    to: tuple[str, ...]
    """Whom the mail says that it is for."""
    recipients: tuple[str, ...]
    """Whom this server was given it for."""
    received_at: str

    def as_json(self) -> dict[str, Any]:
        """Show the summary as JSON does."""
        return {
            "number": self.number,
            "message_id": self.message_id,
            "subject": self.subject,
            "from": self.sender,
            "to": list(self.to),
            "recipients": list(self.recipients),
            "received_at": self.received_at,
        }


class Box:
    """Every mail in the order in which it came; a mail that came twice is there twice."""

    def __init__(self, folder: Path) -> None:
        self._record = Record(folder / "mails.jsonl")
        self.mails: list[Summary] = []
        for offset, entry in self._record.entries_from(0):
            self._know(offset, entry)

    def take(self, content: bytes, recipients: list[str]) -> Summary:
        """Keep a mail; durable against the process's death on return."""
        entry = {
            "received_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "recipients": recipients,
            "content": base64.b64encode(content).decode(),
        }
        return self._know(self._record.append(entry), entry)

    def source(self, number: int) -> bytes | None:
        """Return a mail as it came; None when there is no such one."""
        if not 1 <= number <= len(self.mails):
            return None
        entry = self._record.entry_at(self.mails[number - 1].offset)
        return base64.b64decode(entry["content"])

    def close(self) -> None:
        """Give the file back."""
        self._record.close()

    def _know(self, offset: int, entry: dict[str, Any]) -> Summary:
        message = parsed(base64.b64decode(entry["content"]))
        summary = Summary(
            number=len(self.mails) + 1,
            offset=offset,
            message_id=str(message.get("message-id", "")).strip(),
            subject=str(message.get("subject", "")),
            sender=str(message.get("from", "")),
            to=addresses_in(message, "to"),
            recipients=tuple(entry["recipients"]),
            received_at=entry["received_at"],
        )
        self.mails.append(summary)
        return summary


def parsed(content: bytes) -> EmailMessage:
    """Return a mail's parts."""
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage), "the policy makes nothing else"
    return message


def addresses_in(message: EmailMessage, name: str) -> tuple[str, ...]:
    """Return the addresses of a header."""
    header = message.get(name)
    return () if header is None else tuple(each.addr_spec for each in header.addresses)


def body(message: EmailMessage, kind: str) -> str:
    """Return a mail's text, or its HTML; empty where it has none."""
    part = message.get_body(preferencelist=(kind,))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def attachments(message: EmailMessage) -> list[EmailMessage]:
    """Return the files that came with a mail."""
    return [each for each in message.iter_attachments() if isinstance(each, EmailMessage)]


def content_of(part: EmailMessage) -> bytes:
    """Return an attached file's bytes."""
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def whole(summary: Summary, message: EmailMessage) -> dict[str, Any]:
    """Show a mail with its words, and where its files are."""
    return summary.as_json() | {
        "text": body(message, "plain"),
        "html": body(message, "html"),
        "headers": {name.lower(): str(value) for name, value in message.items()},
        "attachments": [
            {
                "name": each.get_filename() or "",
                "content_type": each.get_content_type(),
                "size": len(content_of(each)),
                "path": f"/mails/{summary.number}/attachments/{place}",
            }
            for place, each in enumerate(attachments(message))
        ],
    }
