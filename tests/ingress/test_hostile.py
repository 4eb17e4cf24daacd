"""What strangers send over a real socket: nothing of it gets in, breaks anything, or stays."""

import asyncio
import base64
import json
import tracemalloc
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.ingress.doubles import encoded, organization, signed
from tests.ingress.served import FORM, PATHS, Site, status

from contracts.events.provider import TwilioCallbackReceived, TwilioMessageReceived


def changed(body: bytes) -> bytes:
    return body.replace(b"delivered", b"delivereD").replace(b"SM1", b"SM2")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (encoded(FORM), None),
        (encoded(FORM), ""),
        (encoded(FORM), base64.b64encode(b"x" * 20).decode()),
        (encoded(FORM), "x" * 5_000),
        (encoded(FORM), "another's"),
        (changed(encoded(FORM)), "right"),
        (encoded(FORM) + b"&Body=STOP", "right"),
        (encoded({**FORM, "AccountSid": "AC-other"}), "right"),
        (encoded({**FORM, "AccountSid": "AC-nobody"}), "right"),
        (b"", "right"),
        (b"AccountSid=AC-acme&Body=%zz&Body=%", "right"),
        (b"AccountSid=AC-acme&MessageSid=SM1&Body=%ff%fe", "right"),
        (b"\xff\x00\x01", "right"),
        (b"&".join(b"a%d=1" % n for n in range(100)), "right"),
        (json.dumps(FORM).encode(), "right"),
    ],
)
async def test_what_isn_t_signed_as_it_is_gets_nowhere(
    site: Site, path: str, body: bytes, signature: str | None
) -> None:
    tokens = {"right": "token-acme", "another's": "token-other"}
    if signature in tokens:
        signature = signed(FORM, token=tokens[signature], path=path)
    assert await site.post(body, path=path, signature=signature) == 403
    assert site.facts == set()


async def test_ten_thousand_fields_are_no_form(site: Site) -> None:
    # Below the limit of bytes, were it as large as in production.
    site.ingress.webhooks._body_limit = 64 * 1024
    # A value that comes often is signed once, so the signature itself is right.
    form = {"AccountSid": "AC-acme", "MessageSid": "SM1", "f": ""}
    body = encoded(form) + b"&f=" * 10_000
    assert len(body) < 64 * 1024
    assert await site.post(body, signature=signed(form, path=PATHS[0])) == 403
    assert site.facts == set()


async def test_a_request_replayed_a_thousand_times_is_one_fact(site: Site) -> None:
    right = signed(FORM, path=PATHS[0])
    body = encoded(FORM)
    head = (
        f"POST {PATHS[0]} HTTP/1.1\r\nhost: h\r\ncontent-length: {len(body)}\r\n"
        f"x-twilio-signature: {right}\r\n"
    ).encode()
    once = head + b"\r\n" + body
    last = head + b"connection: close\r\n\r\n" + body
    answers = await asyncio.gather(*(site.raw(once * 99 + last) for _ in range(10)))
    assert sum(answer.count(b"HTTP/1.1 200 OK") for answer in answers) == 1_000
    assert len(site.facts) == 1


async def test_fields_that_came_twice_are_signed_and_kept_as_the_first(site: Site) -> None:
    pairs = [*FORM.items(), ("Body", "zweite"), ("AccountSid", "AC-other")]
    form = site_form(pairs)
    body = urlencode(pairs).encode()
    assert await site.post(body, signature=signed(form, path=PATHS[0])) == 200
    [kept] = site.ingress.log.events
    assert isinstance(kept.event, TwilioMessageReceived)
    assert kept.event.form == FORM
    assert kept.event.account_sid == "AC-acme"


def site_form(pairs: list[tuple[str, str]]) -> Any:
    from ingress.domain import Form

    return Form(urlencode(pairs).encode())


async def test_the_form_says_whose_account_it_is_and_the_query_doesn_t(site: Site) -> None:
    path = f"{PATHS[1]}?AccountSid=AC-other"
    assert await site.post(encoded(FORM), path=path, signature=signed(FORM, path=path)) == 204
    [kept] = site.ingress.log.events
    assert isinstance(kept.event, TwilioCallbackReceived)
    assert kept.event.account_sid == "AC-acme"
    assert kept.event.organization_id == organization("acme").organization_id
    other = signed(FORM, token="token-other", path=path)
    assert await site.post(encoded(FORM), path=path, signature=other) == 403


@pytest.mark.parametrize("field", ["MessageSid", "MessageStatus", "ErrorCode"])
@pytest.mark.parametrize("value", ["\x00", "a b", "x" * 65, "é", "S\nM"])
async def test_a_signed_word_that_is_none_is_malformed(site: Site, field: str, value: str) -> None:
    form = {**FORM, field: value}
    right = signed(form, path=PATHS[1])
    assert await site.post(encoded(form), path=PATHS[1], signature=right) == 400
    assert site.facts == set()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_other_methods_are_refused(site: Site, method: str) -> None:
    right = signed(FORM, path=PATHS[0])
    assert await site.post(encoded(FORM), method=method, signature=right) == 405


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/twilio",
        "/twilio/inbound/",
        "/twilio/../twilio/inbound",
        "/twilio/inbound/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%00",
        "//twilio/inbound",
        "/twilio/inbound;x",
        "/TWILIO/INBOUND",
        "http://elsewhere/twilio/voice",
    ],
)
async def test_other_paths_are_not_there(site: Site, path: str) -> None:
    right = signed(FORM, path=PATHS[0])
    assert await site.post(encoded(FORM), path=path, signature=right) == 404


async def test_an_oversized_body_is_refused_before_it_is_sent(site: Site) -> None:
    head = f"POST {PATHS[0]} HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999999\r\n\r\n"
    assert status(await site.raw(head.encode())) == 413


@pytest.mark.parametrize("path", [PATHS[0], "/elsewhere"])
async def test_a_body_without_an_end_is_cut_off(site: Site, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    writer.write(head)
    sent = 0
    try:
        while sent < 512 * 1024 * 1024:
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await asyncio.wait_for(writer.drain(), 10)
            sent += 0x10000
    except ConnectionError:
        pass
    assert sent < 64 * 1024 * 1024
    writer.transport.abort()
    del reader


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"P",
        b"POST /twilio/inbound HTTP/1.1\r\nhost: h\r\nx: ",
        b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\nPOST",
    ],
)
async def test_headers_that_dawdle_are_given_up(site: Site, said: bytes) -> None:
    await site.raw(said, patience=5)


async def test_a_byte_now_and_then_wins_no_time(site: Site) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)

    async def trickle() -> None:
        for byte in b"POST /twilio/inbound HTTP/1.1\r\nx: " + b"y" * 10_000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    with suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    trickling.cancel()
    await asyncio.wait([trickling])
    writer.close()


async def test_a_body_that_nobody_reads_is_not_waited_for(site: Site) -> None:
    head = b"POST /healthz HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc"
    assert status(await site.raw(head, patience=5)) == 200


async def test_a_body_that_dawdles_gets_an_answer_and_no_more(site: Site) -> None:
    head = f"POST {PATHS[0]} HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc".encode()
    assert status(await site.raw(head, patience=5)) == 408


@pytest.mark.parametrize(
    "head",
    [
        b"POST /twilio/inbound HTTP/1.1\r\nhost: h\r\nx: " + b"y" * 200_000,
        b"POST /twilio/inbound HTTP/1.1\r\n" + b"x: y\r\n" * 50_000,
        b"POST /" + b"y" * 200_000,
        b"POST /twilio/inbound HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\nx: " + b"y" * 200_000,
    ],
)
async def test_huge_headers_are_refused(site: Site, head: bytes) -> None:
    answer = await site.raw(head, patience=5)
    # Closed with bytes unread, a connection may be reset before the answer was read.
    if answer:
        assert b"HTTP/1.1 431 " in answer


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 1_000,
        b"POST\r\n\r\n",
        b"POST /twilio/inbound\r\n\r\n",
        b"POST /twilio/inbound HTTP/9.9\r\n\r\n",
        b"POST /twilio/inbound HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /twilio/inbound HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST /twilio/inbound HTTP/1.1\r\ncontent-length: 3\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /twilio/inbound HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /\xff\xfe HTTP/1.1\r\n\r\n",
        b"POST /twilio/inbound HTTP/1.1\r\nno colon\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: h\r\n\r\n",
        b"CONNECT elsewhere:443 HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n\x00\xffgarbage\r\n\r\n" * 50,
        b"GET /twilio/inbound HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\n"
        b"connection: upgrade\r\nsec-websocket-key: eA==\r\nsec-websocket-version: 13\r\n\r\n",
        b"GET /twilio/inbound HTTP/1.1\r\nhost: h\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_garbage_gets_a_refusal_at_most(site: Site, garbage: bytes) -> None:
    answer = await site.raw(garbage, half_close=True, patience=5)
    assert b"HTTP/1.1 5" not in answer
    assert b"HTTP/1.1 200 OK\r\ncontent-type: text/xml" not in answer
    if answer:
        status(answer)
    assert site.facts == set()


async def test_a_full_day_of_hostility_takes_no_room(site: Site) -> None:
    async def storm(count: int) -> None:
        await asyncio.gather(
            *(site.post(b"x=" + b"y" * 900, signature=f"{n}") for n in range(count)),
            *(site.raw(b"POST /" + b"y" * 100_000) for _ in range(count // 10)),
        )

    await storm(100)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(5):
        await storm(100)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 2 * 1024 * 1024
