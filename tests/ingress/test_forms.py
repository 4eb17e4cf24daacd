"""What a form says comes through as it was signed, and not at all when it wasn't."""

import asyncio
from collections.abc import Callable

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from tests.ingress.doubles import PUBLIC, Ingress, encoded, make_ingress, signed
from tests.ingress.served import FORM, PATHS

from contracts.envelope import decode, encode
from contracts.events.provider import TwilioMessageReceived

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FORMS = st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=12)


def enter(form: dict[str, str], sign: Callable[[dict[str, str]], str | None]) -> Ingress:
    ingress = make_ingress()
    # The limit of bytes is another test's.
    ingress.webhooks._body_limit = 64 * 1024
    asyncio.run(ingress.post(encoded(form), path=PATHS[0], signature=sign(form)))
    return ingress


@given(FORMS)
@profile(deadline=None)
def test_a_signed_form_comes_through_byte_for_byte(form: dict[str, str]) -> None:
    form = form | {"AccountSid": "AC-acme", "MessageSid": "SM1"}
    ingress = enter(form, lambda form: signed(form, path=PATHS[0]))
    [envelope] = ingress.log.events
    _, value, headers = encode(envelope)
    event = decode(headers, value).event
    assert isinstance(event, TwilioMessageReceived)
    assert event.form == form
    assert list(event.form) == list(form)


@given(FORMS, TEXTS, st.sampled_from(["token-other", "token-acm", "", None]))
@profile(deadline=None)
def test_an_unsigned_form_never_enters(
    form: dict[str, str], nonsense: str, token: str | None
) -> None:
    form = form | {"AccountSid": "AC-acme", "MessageSid": "SM1"}

    def sign(form: dict[str, str]) -> str | None:
        if token is None:
            return nonsense.encode().decode("latin-1")
        return signed(form, token=token, path=PATHS[0])

    assert enter(form, sign).log.events == []


async def test_a_text_of_sixteen_hundred_pictures_gets_in() -> None:
    ingress = make_ingress()
    ingress.webhooks._body_limit = 64 * 1024
    form = {**FORM, "Body": ("👩‍👩‍👧‍👦🌞é" * 200)[:1_600]}
    answer = await ingress.post(
        encoded(form), path=PATHS[0], signature=signed(form, path=PATHS[0], base=PUBLIC)
    )
    assert answer.status == 200
    [kept] = ingress.log.events
    assert isinstance(kept.event, TwilioMessageReceived)
    assert kept.event.form["Body"] == form["Body"]
