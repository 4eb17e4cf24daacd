"""Forms as Twilio signs them, and the circuit."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from ingress.domain import Circuit, Form, Malformed
from ingress.settings import IngressSettings

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
URL = "https://hooks.example.org/twilio/status?m=1&x="


class Multi(dict[str, list[str]]):
    """A framework's multi-dict, for the SDK's own computation."""

    def getall(self, name: str) -> list[str]:
        return self[name]


@given(st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=20))
def test_whatever_was_signed_verifies_after_its_way(pairs: list[tuple[str, str]]) -> None:
    multi = Multi()
    for name, value in pairs:
        multi.setdefault(name, []).append(value)
    validator = RequestValidator("token")
    form = Form(urlencode(pairs).encode())
    assert validator.validate(URL, form, validator.compute_signature(URL, multi))
    assert not validator.validate(URL, form, validator.compute_signature(URL + "1", multi))
    assert form.kept() == {name: values[0] for name, values in multi.items()}
    assert list(form) == list(multi)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_form_or_malformed(body: bytes) -> None:
    try:
        form = Form(body)
    except Malformed:
        return
    assert all(form.getall(name) for name in form)


def test_of_several_names_the_first_that_says_something_counts() -> None:
    form = Form(b"MessageSid=&SmsSid=SM1&MessageSid=SM2")
    assert form.first("MessageSid", "SmsSid") == "SM2"
    assert form.first("SmsSid", "MessageSid") == "SM1"
    assert form.first("Nothing") == ""


def test_after_a_failure_one_probe_at_a_time() -> None:
    circuit = Circuit(pause_seconds=5)
    assert all(circuit.admits(at=0) for _ in range(3))
    circuit.failed(at=1)
    assert not circuit.admits(at=5.9)
    assert [circuit.admits(at=6) for _ in range(3)] == [True, False, False]
    circuit.failed(at=8)
    assert not circuit.admits(at=12)
    assert circuit.admits(at=13)
    circuit.succeeded()
    assert circuit.admits(at=13)
    assert circuit.admits(at=13)


@pytest.mark.parametrize("url", ["hooks.example.org", "https://h/?a=b", "https://h/#x"])
def test_a_public_address_that_can_t_be_one_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        IngressSettings(public_url=url)


def test_the_public_address_loses_its_last_slash() -> None:
    assert IngressSettings(public_url="https://h/x/").public_url == "https://h/x"
