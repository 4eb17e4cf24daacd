"""The mail server behind its port: one suite on the one in memory and on a real one by SMTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import uuid4

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from tests.notifier.doubles import FakePost
from tests.notifier.facts import AUTHOR, NOON, OFFICE

from notifier.adapters.smtp import BadAddress, Server, SmtpPost
from notifier.domain.addresses import usable
from notifier.domain.letters import Attachment, Letter, Verdict, one_line
from notifier.ports import Post, PostClosed
from simulators.mail.app import MailSimulator
from simulators.mail.box import Box
from simulators.mail.smtp import KNOWN, Sink
from simulators.shared import Faults, running


def letter(subject: str = "Report: Dues", text: str = "Grüße\n.\nFine\n") -> Letter:
    attached = Attachment("run.csv", "csv", "row\r\n1,Zoë\r\n".encode())
    return Letter(uuid4(), (AUTHOR, OFFICE), subject, text, f"<p>{text}</p>", NOON, (attached,))


@dataclass
class Subject:
    """A mail server under test, and what it has taken: Message-ID's ids with recipients."""

    post: Post
    taken: Callable[[], list[tuple[str, frozenset[str]]]]
    refuse: Callable[[str, Verdict], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


@pytest.fixture(params=["fake", "smtp"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Subject]:
    if request.param == "fake":
        fake = FakePost()

        async def refuse(address: str, verdict: Verdict) -> None:
            fake.verdicts[address] = verdict

        async def close() -> None:
            fake.closed = True

        yield Subject(
            fake,
            lambda: [(str(each.mail_id), to) for each, to in fake.letters],
            refuse,
            close,
        )
        return
    simulator = MailSimulator(state=tmp_path, host="127.0.0.1")
    async with running(simulator.app()):
        yield over_smtp(simulator)


def over_smtp(simulator: MailSimulator) -> Subject:
    async def refuse(address: str, verdict: Verdict) -> None:
        name = "550" if verdict is Verdict.REFUSED else "451"
        simulator.faults.add(name, match={"to": address})

    async def close() -> None:
        await simulator.listener.close()

    def taken() -> list[tuple[str, frozenset[str]]]:
        return [
            (each.message_id[1:].partition("@")[0], frozenset(each.recipients))
            for each in simulator.box.mails
        ]

    return Subject(post_to(simulator.listener.port), taken, refuse, close)


def post_to(port: int, *, url: str = "smtp://127.0.0.1:{port}") -> SmtpPost:
    address = SecretStr(url.format(port=port))
    return SmtpPost(address, sender="Text Manager <us@demo.example>", timeout=5)


async def test_a_mail_is_handed_over_for_those_who_need_it_alone(server: Subject) -> None:
    one = letter()
    assert await server.post.deliver(one, [OFFICE]) == {OFFICE: Verdict.TAKEN}
    assert await server.post.deliver(one, [AUTHOR]) == {AUTHOR: Verdict.TAKEN}
    # The same mail again is the same mail: its id is the letter's.
    assert server.taken() == [
        (str(one.mail_id), frozenset({OFFICE})),
        (str(one.mail_id), frozenset({AUTHOR})),
    ]


@pytest.mark.parametrize("verdict", [Verdict.REFUSED, Verdict.LATER])
async def test_one_refused_recipient_keeps_no_other_from_it(
    server: Subject, verdict: Verdict
) -> None:
    one = letter()
    await server.refuse(AUTHOR, verdict)
    said = await server.post.deliver(one, [AUTHOR, OFFICE])
    assert said == {AUTHOR: verdict, OFFICE: Verdict.TAKEN}
    assert server.taken() == [(str(one.mail_id), frozenset({OFFICE}))]
    assert await server.post.deliver(one, [AUTHOR]) == {AUTHOR: verdict}
    assert len(server.taken()) == 1


async def test_a_server_that_is_away_is_no_ones_fault(server: Subject) -> None:
    await server.close()
    with pytest.raises(PostClosed):
        await server.post.deliver(letter(), [AUTHOR])


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[MailSimulator]:
    simulator = MailSimulator(state=tmp_path, host="127.0.0.1")
    async with running(simulator.app()):
        yield simulator


async def test_taken_and_dropped_it_comes_again_to_the_byte(simulator: MailSimulator) -> None:
    one, post = letter(), post_to(simulator.listener.port)
    simulator.faults.add("drop_after_data", times=1)
    with pytest.raises(PostClosed):
        await post.deliver(one, [AUTHOR])
    assert await post.deliver(one, [AUTHOR]) == {AUTHOR: Verdict.TAKEN}
    assert simulator.box.source(1) == simulator.box.source(2)
    assert len({each.message_id for each in simulator.box.mails}) == 1


@pytest.mark.parametrize(
    ("fault", "verdict"), [("550_data", Verdict.REFUSED), ("451_data", Verdict.LATER)]
)
async def test_a_mail_that_is_refused_as_a_whole_is_refused_for_all(
    simulator: MailSimulator, fault: str, verdict: Verdict
) -> None:
    simulator.faults.add(fault, times=1)
    said = await post_to(simulator.listener.port).deliver(letter(), [AUTHOR, OFFICE])
    assert said == {AUTHOR: verdict, OFFICE: verdict}


async def test_a_busy_server_is_waited_for(simulator: MailSimulator) -> None:
    simulator.faults.add("421", times=1)
    with pytest.raises(PostClosed):
        await post_to(simulator.listener.port).deliver(letter(), [AUTHOR])


async def test_a_password_is_not_told_to_a_server_without_tls(simulator: MailSimulator) -> None:
    post = post_to(simulator.listener.port, url="smtp://u:secret@127.0.0.1:{port}")
    with pytest.raises(PostClosed) as raised:
        await post.deliver(letter(), [AUTHOR])
    assert "secret" not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    assert simulator.box.mails == []


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[tuple[int, list[bytes]]]:
    """The port of a mail server that knows `us`, and who signed in."""
    signed_in: list[bytes] = []

    def authenticate(
        _server: object, _session: object, _envelope: object, _mechanism: str, given: object
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        signed_in.append(given.login)
        return AuthResult(success=(given.login, given.password) == (b"us", b"p@ss"), handled=False)

    def talk() -> SMTP:
        return SMTP(
            Sink(box, Faults(KNOWN)),
            hostname="mail.simulated",
            auth_require_tls=False,
            authenticator=authenticate,
        )

    box = Box(tmp_path)
    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", 0)
    yield int(server.sockets[0].getsockname()[1]), signed_in
    server.close()
    box.close()


async def test_it_signs_in_where_a_user_is_named(guarded: tuple[int, list[bytes]]) -> None:
    port, signed_in = guarded
    post = post_to(port, url="smtp://us:p%40ss@127.0.0.1:{port}?starttls=never")
    assert await post.deliver(letter(), [AUTHOR]) == {AUTHOR: Verdict.TAKEN}
    assert signed_in == [b"us"]


async def test_a_wrong_password_is_ours_to_mend_and_refuses_nobody(
    guarded: tuple[int, list[bytes]],
) -> None:
    post = post_to(guarded[0], url="smtp://us:wrong@127.0.0.1:{port}?starttls=never")
    with pytest.raises(PostClosed, match="SMTPAuthenticationError"):
        await post.deliver(letter(), [AUTHOR])


async def test_without_a_server_mail_waits() -> None:
    with pytest.raises(PostClosed):
        await SmtpPost(None, sender="us@demo.example", timeout=5).deliver(letter(), [AUTHOR])


async def test_the_mail_has_text_html_and_file(simulator: MailSimulator) -> None:
    one = letter()
    await post_to(simulator.listener.port).deliver(one, [AUTHOR])
    message = message_from_bytes(simulator.box.source(1) or b"", policy=default)
    assert isinstance(message, EmailMessage)
    assert message["from"] == "Text Manager <us@demo.example>"
    assert message["message-id"] == f"<{one.mail_id}@demo.example>"
    assert message["auto-submitted"] == "auto-generated"
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == one.text
    assert html.get_content().replace("\r\n", "\n").rstrip("\n") == one.html
    [file] = message.iter_attachments()
    assert file.get_filename() == "run.csv"
    assert file.get_payload(decode=True) == one.attachments[0].content


@given(st.text(max_size=300), st.text(max_size=100))
def test_no_subject_and_no_text_adds_a_header_or_a_recipient(subject: str, text: str) -> None:
    made = post_to(1).message(letter(subject, text.replace("\x00", "")))
    again = message_from_bytes(made.as_bytes(), policy=default)
    assert list(again.keys()) == list(made.keys())
    assert again["to"] == f"{AUTHOR}, {OFFICE}"
    assert len(one_line(subject)) <= 180


@given(st.text(max_size=60), st.emails())
def test_an_address_is_one_address_or_none(anything: str, address: str) -> None:
    for each in usable([anything, f"{address}\r\nBcc: {address}", f"{address},{address}"]):
        assert set(each).isdisjoint(" \r\n,;<>\"'\\()")
    assert usable([address.upper(), f" {address} "])[1:] == ()


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("smtp://mail.example", ("mail.example", 25, False, "auto")),
        ("smtp://u:p@mail.example", ("mail.example", 587, False, "always")),
        ("smtps://u:p%40@mail.example", ("mail.example", 465, True, "always")),
        ("smtp://u:p@mail.example:2525?starttls=never", ("mail.example", 2525, False, "never")),
    ],
)
def test_an_address_of_a_server_is_understood(url: str, made: tuple[object, ...]) -> None:
    server = Server.at(SecretStr(url))
    assert (server.host, server.port, server.tls, server.starttls) == made
    assert "p%40" not in url or (server.password and server.password.get_secret_value() == "p@")


@pytest.mark.parametrize(
    "url", ["mail.example:25", "http://mail.example", "smtp://h:x", "smtp://h?starttls=maybe"]
)
def test_a_wrong_address_of_a_server_is_told_without_its_password(url: str) -> None:
    with pytest.raises(BadAddress, match="TEXTMANAGER_SMTP_URL"):
        Server.at(SecretStr(url))
