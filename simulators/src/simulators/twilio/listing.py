"""The list of messages, both ways: filters, pages, newest first."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from simulators.twilio.resources import PREFIX, inbound_resource, resource
from simulators.twilio.store import Inbound, Store, Text

_MOST = 1000
_FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")
Listed = Text | Inbound


def list_texts(
    store: Store, account: str, query: Mapping[str, str], *, before: float
) -> dict[str, Any]:
    """Give one page, as the API does; texts taken after `before` don't show yet.

    A filter on DateSent leaves out what wasn't sent yet.
    """
    size = min(max(_number(query.get("PageSize"), 50), 1), _MOST)
    page = _number(query.get("Page"), 0)
    older = _older_than(query.get("PageToken", ""))
    sent: Iterator[Listed] = (
        text for text in _outbound(store, account, query, older[0]) if text.accepted_at <= before
    )
    received: Iterator[Listed] = (
        text for text in _inbound(store, account, query, older[1]) if text.at <= before
    )
    found = merge(sent, received, key=_taken_at, reverse=True)
    skipped = 0 if any(older) else page * size
    texts = list(islice(found, skipped, skipped + size + 1))
    more, texts = len(texts) > size, texts[:size]
    base = f"{PREFIX}{account}/Messages.json"
    kept = {name: query[name] for name in _FILTERS if name in query} | {"PageSize": str(size)}
    first = f"{base}?{urlencode({**kept, 'Page': '0'})}"
    following = {**kept, "Page": str(page + 1), "PageToken": _token(texts, older)} if more else None
    return {
        "messages": [_shown(store, text) for text in texts],
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + max(len(texts) - 1, 0),
        "first_page_uri": first,
        "next_page_uri": f"{base}?{urlencode(following)}" if following else None,
        "previous_page_uri": None,
        "uri": first if not page else f"{base}?{urlencode({**kept, 'Page': str(page)})}",
    }


def _shown(store: Store, text: Listed) -> dict[str, Any]:
    if isinstance(text, Inbound):
        return inbound_resource(text)
    return resource(text, store.messages.entry_at(text.offset))


def _taken_at(text: Listed) -> float:
    return text.at if isinstance(text, Inbound) else text.accepted_at


def _older_than(token: str) -> tuple[int, int]:
    """Read how far the pages have come, outbound and inbound; 0 is at the beginning."""
    sent, _, received = token.removeprefix("PASM").partition("-")
    return _number(sent, 0), _number(received, 0)


def _token(texts: list[Listed], older: tuple[int, int]) -> str:
    sent = [text.n for text in texts if isinstance(text, Text)]
    received = [text.n for text in texts if isinstance(text, Inbound)]
    return f"PASM{min(sent, default=older[0])}-{min(received, default=older[1])}"


def _outbound(
    store: Store, account: str, query: Mapping[str, str], older_than: int
) -> Iterator[Text]:
    sender = query.get("From")
    begin, end = _sent_between(query)
    dated = any(name in query for name in _FILTERS[2:])
    for text in store.newest_first(query.get("To")):
        if older_than and text.n >= older_than:
            continue
        if text.account != account or (sender is not None and text.sender != sender):
            continue
        if dated and (text.sent_at is None or not begin <= text.sent_at < end):
            continue
        yield text


def _inbound(
    store: Store, account: str, query: Mapping[str, str], older_than: int
) -> Iterator[Inbound]:
    begin, end = _sent_between(query)
    for text in reversed(store.inbound):
        if older_than and text.n >= older_than:
            continue
        wanted = query.get("To", text.number), query.get("From", text.person)
        if text.account != account or wanted != (text.number, text.person):
            continue
        if begin <= text.at < end:
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
