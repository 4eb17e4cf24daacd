"""The notifier's environment."""

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.routes.texts import Email
from notifier.domain.addresses import usable
from notifier.settings import NotifierSettings

EMAIL: TypeAdapter[str] = TypeAdapter(Email)


def test_the_mail_server_and_the_sender_have_names_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEXTMANAGER_SMTP_URL", "smtp://u:secret@mail.example")
    monkeypatch.setenv("TEXTMANAGER_NOTIFIER_FROM", "Texts <texts@demo.example>")
    monkeypatch.setenv("TEXTMANAGER_NOTIFIER_ALERTS_AN_HOUR", "9")
    told = NotifierSettings()
    assert told.smtp_url is not None
    assert told.smtp_url.get_secret_value() == "smtp://u:secret@mail.example"
    assert (told.sender, told.alerts_an_hour) == ("Texts <texts@demo.example>", 9)
    assert "secret" not in repr(told)


@pytest.mark.parametrize(
    "address",
    [
        "staff@example.org",
        "first.last+texts@mail.example.co.uk",
        "o'brien@example.org",
        f"{'a' * 64}@{'b' * 63}.example",
    ],
)
def test_tm16_an_address_that_can_be_saved_can_be_mailed_to(address: str) -> None:
    assert usable([EMAIL.validate_python(address)]) == (address,)


@pytest.mark.parametrize(
    "address",
    [
        "one@example.org,other@example.org",
        "one;other@example.org",
        "<staff@example.org>",
        "josé@example.org",
        "staff@exämple.org",
        '"staff"@example.org',
        ".staff@example.org",
        "staff..desk@example.org",
        "staff@-.org",
        "staff@localhost",
        "staff@example.org\nBcc: other@example.org",
        f"{'a' * 65}@example.org",
        f"staff@{'b' * 64}.example",
        f"staff@{'b.' * 130}org",
    ],
)
def test_tm16_an_address_that_no_mail_would_go_to_is_refused_when_it_is_saved(
    address: str,
) -> None:
    with pytest.raises(ValidationError):
        EMAIL.validate_python(address)
