"""Every way a webhook can come in, and what is answered, kept and refused."""

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from tests.ingress.doubles import NAMES, encoded, make_ingress, organization, signed

from contracts.events.provider import TwilioCallbackReceived, TwilioMessageReceived
from contracts.ids import callback_id, inbound_id

MESSAGE = UUID("0190a0b0-1111-7222-8333-123456789abc")
FORM = {
    "MessageSid": "SM1",
    "SmsSid": "SM1",
    "MessageStatus": "undelivered",
    "SmsStatus": "undelivered",
    "To": "+12025550143",
    "From": "+12025550100",
    "AccountSid": "AC-acme",
    "MessagingServiceSid": "",
    "ErrorCode": "30006",
}
TEXT = {"MessageSid": "SM9", "From": "+12025550143", "Body": "Prosím  STOP 🌞\n", "NumMedia": "0"}


@dataclass
class Case:
    """A webhook, and the status that it gets."""

    name: str
    status: int
    form: dict[str, str] = field(default_factory=dict)
    signature: str | None = "right"
    sent: bytes | None = None
    extra: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case("valid", 204),
    Case("chunked", 204, extra={"chunks": 7}),
    Case("a query is signed as it came", 204, extra={"query": f"m={MESSAGE}&b=%7e+x&e="}),
    Case("a query that isn't ours", 204, extra={"query": "m=nonsense"}),
    Case("unicode", 204, {"Profile": "Zoë 🌞 + & = %"}),
    Case("white space is kept", 204, {"Note": "  two  \r\n"}),
    Case("fields that we don't know", 204, {"RawDlrDoneDate": "2603011200"}),
    Case("unsigned", 403, signature=None),
    Case("an empty signature", 403, signature=""),
    Case("forged", 403, signature="b64nonsense="),
    Case("not ASCII in the signature", 403, signature="ä"),
    Case("signed with another account's token", 403, signature="other"),
    Case("an account that nobody named", 403, {"AccountSid": "AC-nobody"}),
    Case("no account", 403, {"AccountSid": ""}),
    Case("a body that was changed", 403, sent=encoded(FORM | {"MessageStatus": "delivered"})),
    Case("a blank field dropped on the way", 403, sent=encoded(FORM).replace(b"Sid=&", b"Sid&x&")),
    Case("an empty body", 403, sent=b""),
    Case("JSON", 403, sent=b'{"AccountSid": "AC-acme"}'),
    Case("not UTF-8", 403, sent=encoded(FORM) + b"&x=%ff"),
    Case("too many fields", 403, sent=encoded(FORM) + b"&x" * 200),
    Case("unsigned and malformed", 403, {"MessageSid": "", "SmsSid": ""}, signature=None),
    Case("signed, no SID", 400, {"MessageSid": "", "SmsSid": ""}),
    Case("signed, no status", 400, {"MessageStatus": "", "SmsStatus": ""}),
    Case("oversized", 413, {"Body": "x" * 1_000}),
    Case("announced as oversized", 413, extra={"announced": 1_001}),
    Case("grows past the limit in chunks", 413, {"Body": "x" * 1_000}, extra={"chunks": 9}),
    Case("oversized and unsigned", 413, {"Body": "x" * 1_000}, signature=None),
    Case("another method", 405, extra={"method": "GET"}),
    Case("another path", 404, extra={"path": "/twilio/voice"}),
    Case("a longer path", 404, extra={"path": "/twilio/status/"}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_status_callback(case: Case) -> None:
    ingress = make_ingress()
    form = FORM | case.form
    query = case.extra.get("query", "")
    path = "/twilio/status" + (f"?{query}" if query else "")
    tokens = {"right": "token-acme", "other": "token-other"}
    signature = case.signature
    if signature in tokens:
        signature = signed(form, token=tokens[signature], path=path)
    body = encoded(form) if case.sent is None else case.sent

    answer = await ingress.post(body, signature=signature, **case.extra)

    assert answer.status == case.status
    assert len(ingress.log.events) == (1 if case.status == 204 else 0)
    assert not ingress.spool.events
    if case.status == 204:
        assert answer.body == b""
        event = ingress.log.events[0].event
        assert isinstance(event, TwilioCallbackReceived)
        assert event.form == form
        assert list(event.form) == list(form)
        assert event.message_id == (MESSAGE if str(MESSAGE) in query else None)
        assert event.sequence == 0


async def test_the_refusals_don_t_say_which_it_was() -> None:
    ingress = make_ingress()
    unknown = FORM | {"AccountSid": "AC-nobody"}
    answers = [
        await ingress.post(encoded(unknown), signature=signed(unknown)),
        await ingress.post(encoded(FORM), signature=None),
        await ingress.post(encoded(FORM), signature="forged"),
        await ingress.post(b"\xff", signature="forged"),
    ]
    assert len({(each.status, each.body, str(each.headers)) for each in answers}) == 1


async def test_a_replay_is_taken_again_as_the_same_event() -> None:
    ingress = make_ingress()
    for _ in range(2):
        await ingress.post(encoded(FORM), signature=signed(FORM))
    first, second = ingress.log.events
    assert first.id == second.id == callback_id("SM1", "undelivered", "30006")


async def test_a_member_s_text_gets_an_empty_answer() -> None:
    ingress = make_ingress()
    form = {"AccountSid": "AC-acme"} | TEXT
    answer = await ingress.post(
        encoded(form), path="/twilio/inbound", signature=signed(form, path="/twilio/inbound")
    )
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.body.endswith(b"<Response/>")
    assert int(answer.headers["content-length"]) == len(answer.body)
    (kept,) = ingress.log.events
    assert isinstance(kept.event, TwilioMessageReceived)
    assert kept.id == inbound_id("SM9")
    assert kept.event.form["Body"] == TEXT["Body"]


async def test_a_status_s_signature_doesn_t_open_the_other_address() -> None:
    ingress = make_ingress()
    answer = await ingress.post(encoded(FORM), path="/twilio/inbound", signature=signed(FORM))
    assert answer.status == 403


async def test_a_text_without_a_sid_is_malformed() -> None:
    ingress = make_ingress()
    form = {"AccountSid": "AC-acme", "Body": "hello"}
    signature = signed(form, path="/twilio/inbound")
    answer = await ingress.post(encoded(form), path="/twilio/inbound", signature=signature)
    assert answer.status == 400


async def test_an_account_that_names_another_s_message_speaks_for_itself_only() -> None:
    ingress = make_ingress()
    form = FORM | {"AccountSid": "AC-other"}
    query = f"m={MESSAGE}"
    signature = signed(form, token="token-other", path=f"/twilio/status?{query}")
    answer = await ingress.post(encoded(form), signature=signature, query=query)
    assert answer.status == 204
    event = ingress.log.events[0].event
    assert isinstance(event, TwilioCallbackReceived)
    assert event.organization_id == organization("other").organization_id
    assert (event.account_sid, event.message_id) == ("AC-other", MESSAGE)


async def test_naming_another_s_account_takes_nothing_from_it() -> None:
    thief = organization("thief", sid="AC-acme")
    ingress = make_ingress(organizations=[organization("acme"), thief])
    await ingress.post(encoded(FORM), signature=signed(FORM))
    await ingress.post(encoded(FORM), signature=signed(FORM, token="token-thief"))
    mine, theirs = (each.event.organization_id for each in ingress.log.events)
    assert (mine, theirs) == (organization("acme").organization_id, thief.organization_id)


@pytest.mark.parametrize(("number", "name"), [("+12025550100", "north"), ("+12025550199", "south")])
async def test_of_a_shared_account_the_owner_of_the_number_is_meant(number: str, name: str) -> None:
    both = [
        organization("north", sid="AC-shared", token="shared"),
        organization("south", sid="AC-shared", token="shared", number="+12025550199"),
    ]
    ingress = make_ingress(organizations=both)
    form = FORM | {"AccountSid": "AC-shared", "From": number}
    await ingress.post(encoded(form), signature=signed(form, token="shared"))
    assert ingress.log.events[0].event.organization_id == organization(name).organization_id


@pytest.mark.parametrize(
    ("public_url", "signed_base"),
    [
        ("https://hooks.example.org", "https://hooks.example.org"),
        ("https://hooks.example.org", "https://hooks.example.org:443"),
        ("https://hooks.example.org:8443", "https://hooks.example.org:8443"),
        ("https://hooks.example.org:8443", "https://hooks.example.org"),
        ("https://example.org/sms", "https://example.org/sms"),
        ("http://127.0.0.1:8099", "http://127.0.0.1:8099"),
    ],
)
async def test_the_public_address_is_what_is_signed(public_url: str, signed_base: str) -> None:
    ingress = make_ingress(public_url=public_url)
    answer = await ingress.post(encoded(FORM), signature=signed(FORM, base=signed_base))
    assert answer.status == 204


async def test_the_address_that_it_listens_on_is_not() -> None:
    ingress = make_ingress()
    answer = await ingress.post(encoded(FORM), signature=signed(FORM, base="http://10.0.0.3:8080"))
    assert answer.status == 403


async def test_a_changed_query_is_forged() -> None:
    ingress = make_ingress()
    signature = signed(FORM, path=f"/twilio/status?m={MESSAGE}")
    answer = await ingress.post(encoded(FORM), signature=signature, query=f"m={NAMES}")
    assert answer.status == 403


async def test_a_new_token_counts_as_soon_as_it_is_known() -> None:
    ingress = make_ingress()
    ingress.accounts.refresh([organization("acme", token="renewed")])
    assert (await ingress.post(encoded(FORM), signature=signed(FORM))).status == 403
    renewed = signed(FORM, token="renewed")
    assert (await ingress.post(encoded(FORM), signature=renewed)).status == 204


async def test_a_token_sealed_under_another_key_shuts_out_its_own_account_only() -> None:
    ingress = make_ingress()
    broken = organization("broken")
    twilio = broken.settings.twilio.model_copy(update={"auth_token_encrypted": "gAAAAnonsense"})
    settings = broken.settings.model_copy(update={"twilio": twilio})
    broken = broken.model_copy(update={"settings": settings})
    ingress.accounts.refresh([broken, organization("acme")])
    assert (await ingress.post(encoded(FORM), signature=signed(FORM))).status == 204
    assert not ingress.accounts.owners("AC-broken")


async def test_a_body_that_dawdles_is_given_up() -> None:
    ingress = make_ingress(body_seconds=0.05)
    never = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await never.wait()
        return {}

    scope = {"method": "POST", "path": "/twilio/status", "query_string": b"", "headers": []}
    answer = await ingress.ask(scope, receive)
    assert answer is not None
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_who_hangs_up_gets_no_answer() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    scope = {"method": "POST", "path": "/twilio/status", "query_string": b"", "headers": []}
    assert await make_ingress().ask(scope, receive) is None


async def test_without_the_log_the_spool_keeps_it() -> None:
    ingress = make_ingress()
    ingress.log.away = True
    for time, tried in ((0.0, 1), (1.0, 1), (4.9, 1), (5.0, 2), (5.1, 2)):
        ingress.time = time
        answer = await ingress.post(encoded(FORM), signature=signed(FORM))
        assert (answer.status, ingress.log.tried) == (204, tried)
    assert len(ingress.spool.events) == 5

    ingress.log.away, ingress.time = False, 20.0
    for _ in range(3):
        await ingress.post(encoded(FORM), signature=signed(FORM))
    assert (len(ingress.log.events), len(ingress.spool.events)) == (3, 5)


async def test_when_nothing_can_keep_it_twilio_shall_come_again() -> None:
    ingress = make_ingress()
    ingress.log.away = ingress.spool.away = True
    answer = await ingress.post(encoded(FORM), signature=signed(FORM))
    assert answer.status == 503
