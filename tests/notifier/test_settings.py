"""The notifier's environment."""

import pytest

from notifier.settings import NotifierSettings


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
