"""The list of messages: filters, pages, newest first."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from simulators.twilio.store import Store, Text

_MOST = 1000
_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


def list_texts(
    store: Store,
    account: str,
    query: Mapping[str, str],
    *,
    before: float,
    show: Callable[[Text, Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """Give one page, as the API does; texts accepted after `before` don't show yet.

    A filter on DateSent leaves out what wasn't sent yet.
    """
    size = min(max(_number(query.get("PageSize"), 50), 1), _MOST)
    page = _number(query.get("Page"), 0)
    token = query.get("PageToken", "")
    older_than = _number(token.removeprefix("PASM"), 0)
    found = (
        text
        for text in _matching(store, account, query)
        if text.accepted_at <= before and (not older_than or text.n < older_than)
    )
    skipped = 0 if older_than else page * size
    texts = list(islice(found, skipped, skipped + size + 1))
    more, texts = len(texts) > size, texts[:size]
    base = f"/2010-04-01/Accounts/{account}/Messages.json"
    kept = {name: query[name] for name in _FILTERS if name in query} | {"PageSize": str(size)}
    first = f"{base}?{urlencode({**kept, 'Page': '0'})}"
    following = {**kept, "Page": str(page + 1), "PageToken": f"PASM{texts[-1].n}"} if more else None
    return {
        "messages": [show(text, store.messages.entry_at(text.offset)) for text in texts],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(texts) - 1, 0),
        "first_page_uri": first,
        "next_page_uri": f"{base}?{urlencode(following)}" if following else None,
        "previous_page_uri": None,
        "uri": first if not page else f"{base}?{urlencode({**kept, 'Page': str(page)})}",
    }


def _matching(store: Store, account: str, query: Mapping[str, str]) -> Iterator[Text]:
    sender = query.get("From")
    begin, end = _sent_between(query)
    dated = any(name in query for name in _FILTERS[2:])
    for text in store.newest_first(query.get("To")):
        if text.account != account or (sender is not None and text.sender != sender):
            continue
        if dated and (text.sent_at is None or not begin <= text.sent_at < end):
            continue
        yield text


def _sent_between(query: Mapping[str, str]) -> tuple[float, float]:
    """Read the three forms: on a day, on or before it, on or after it."""
    begin, end = 0.0, float("inf")
    if day := query.get("DateSent"):
        begin, end = _span(day)
    if day := query.get("DateSent>"):
        begin = _span(day)[0]
    if day := query.get("DateSent<"):
        end = _span(day)[1]
    return begin, end


def _span(day: str) -> tuple[float, float]:
    at = datetime.fromisoformat(day)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    length = timedelta(days=1) if len(day) == len("2025-01-01") else timedelta(seconds=1)
    return at.timestamp(), (at + length).timestamp()


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value is not None and value.isdigit() else otherwise
