"""The pages on which a person reads the mails; whatever a mail holds is shown, never run."""

from html import escape

from simulators.mail.box import Summary

_STYLE = """
body { font-family: sans-serif; color: #1c2733; max-width: 60rem; margin: 1rem auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; border-bottom: 1px solid #d5dde5; padding: .3rem .6rem; }
iframe { width: 100%; height: 40rem; border: 1px solid #d5dde5; }
pre { white-space: pre-wrap; background: #f4f7fa; padding: 1rem; }
"""


def listed(mails: list[Summary]) -> str:
    """Return the page of all mails, the newest first."""
    rows = "".join(
        f"<tr><td>{escape(each.received_at)}</td>"
        f"<td>{escape(', '.join(each.to))}</td>"
        f'<td><a href="/mails/{each.number}">{escape(each.subject) or "(no subject)"}</a></td></tr>'
        for each in reversed(mails)
    )
    table = f"<table><tr><th>Received</th><th>To</th><th>Subject</th></tr>{rows}</table>"
    return _page("Mails", table if mails else "<p>No mail has come yet.</p>")


def shown(mail: Summary, *, text: str, html: str, files: list[tuple[str, int]]) -> str:
    """Return the page of one mail."""
    base = f"/mails/{mail.number}"
    attached = "".join(
        f'<li><a href="{base}/attachments/{place}" download>{escape(name)}</a> '
        f"({size:,} bytes)</li>"
        for place, (name, size) in enumerate(files)
    )
    # The frame may do nothing at all: no script, no form, no request to anywhere.
    framed = f'<h2>HTML</h2><iframe sandbox="" src="{base}/html"></iframe>' if html else ""
    return _page(
        mail.subject or "(no subject)",
        "<table>"
        f"<tr><th>From</th><td>{escape(mail.sender)}</td></tr>"
        f"<tr><th>To</th><td>{escape(', '.join(mail.to))}</td></tr>"
        f"<tr><th>Received</th><td>{escape(mail.received_at)}</td></tr>"
        f"<tr><th>Message-ID</th><td>{escape(mail.message_id)}</td></tr>"
        "</table>"
        + (f"<h2>Attached</h2><ul>{attached}</ul>" if files else "")
        + framed
        + f"<h2>Text</h2><pre>{escape(text)}</pre>"
        f'<p><a href="{base}/source">Source</a> · <a href="/">All mails</a></p>',
    )


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{content}</body></html>"
    )
