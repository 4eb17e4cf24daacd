"""The table of codes says of each what the facts say."""

import pytest

from twilio_client import CODES, Advice, Kind, look_up


def test_the_ambiguous_code_is_reconciled() -> None:
    assert look_up(20500).advice is Advice.RECONCILE


@pytest.mark.parametrize("code", [20429, 21611])
def test_busy_codes_back_off(code: int) -> None:
    assert look_up(code).advice is Advice.BACK_OFF


@pytest.mark.parametrize("code", [21211, 21614, 21635, 30004, 30005, 30006])
def test_dead_numbers_are_suppressed(code: int) -> None:
    assert look_up(code).advice is Advice.SUPPRESS


def test_opted_out_is_suppressed_until_start() -> None:
    assert look_up(21610).advice is Advice.SUPPRESS_UNTIL_START
    assert look_up(21610).kind is Kind.OPTED_OUT


def test_an_unknown_code_calls_somebody() -> None:
    assert look_up(99999).advice is Advice.STOP_AND_ALERT


def test_each_code_stands_under_its_own_number() -> None:
    assert all(number == code.code for number, code in CODES.items())
    assert all(code.by_callback == (number >= 30000) for number, code in CODES.items())
