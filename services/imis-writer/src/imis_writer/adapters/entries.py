"""A text as an entry of the Communication Log.

iMIS gives such an entry no key of ours and no date that we could set, so the HTML names the effect
in a comment: by that an entry is found again when nobody heard that it was written.
"""

import re
from html import escape
from uuid import UUID

_MARK = "<!-- text-manager {} -->"
_FOUND = re.compile(r"<!-- text-manager ([0-9a-f-]{36}) -->")


def html_of(text: str, effect_id: UUID) -> str:
    """Show a text as HTML, with the mark of its effect."""
    shown = escape(text, quote=False).replace("\n", "<br>")
    return f"<p>{shown}</p>{_MARK.format(effect_id)}"


def effect_in(html: str) -> UUID | None:
    """Return the effect that an entry is, if it is one of ours."""
    # The mark stands last; a member's text can't hold one, for its brackets are escaped.
    found = _FOUND.search(html)
    return UUID(found.group(1)) if found else None
