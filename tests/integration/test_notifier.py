"""The notifier on the real log, with the real read models and a real mail server."""

import asyncio
import csv
import io
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.harness import Log, eventually, running
from tests.notifier import facts

from chassis.settings import ServiceSettings
from contracts import ids
from contracts.events.audience import Recipient, RecipientsResolved, Totals
from contracts.events.base import Event
from contracts.events.campaign import Mode, WriteTo
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageStatus,
    MessageStatusChanged,
    MessageSubmitted,
)
from notifier.app import make
from notifier.settings import NotifierSettings
from projections.app import make as make_projections
from projections.settings import ProjectionsSettings
from simulators.mail.app import MailSimulator
from simulators.mail.box import attachments, body, content_of, parsed
from simulators.shared import running as serving

FROM = "+18885550100"


@pytest.fixture
async def mail(tmp_path: Path) -> AsyncIterator[MailSimulator]:
    simulator = MailSimulator(state=tmp_path / "mail", host="127.0.0.1")
    async with serving(simulator.app()):
        yield simulator


def own(mail: MailSimulator, **settings: Any) -> NotifierSettings:
    url = SecretStr(f"smtp://127.0.0.1:{mail.listener.port}")
    quick: dict[str, Any] = {"poll": 0.1, "retry": 0.1, "silence_poll": 0.1, "late_quiet": 0.1}
    return NotifierSettings(smtp_url=url, **quick | settings)


def subjects(mail: MailSimulator) -> list[str]:
    return [each.subject for each in mail.box.mails]


def now_scheduled(**fields: Any) -> Event:
    return facts.scheduled(occurred_at=datetime.now(UTC), **fields)


def texts(count: int) -> list[Event]:
    """A run of so many texts, from its audience to Twilio's answer."""
    about = facts.about_run(datetime.now(UTC), 1)
    recipients = [
        Recipient(
            recipient_id=ids.recipient_id(facts.RUN, row),
            message_id=message(row),
            row=row,
            imis_id=f"=M{row}",
            to=f"+1415555{row:04d}",
            text="Hello",
            segments=1,
        )
        for row in range(1, count + 1)
    ]
    page = RecipientsResolved(
        **about,
        mode=Mode.LIVE,
        write_to=WriteTo.NOTHING,
        from_number=FROM,
        recipients=tuple(recipients),
        totals=Totals(rows=count, recipients=count, rejected=0, segments=count),
    )
    queued = [
        MessageQueued(
            **about,
            **each.model_dump(exclude={"zone"}),
            from_number=FROM,
            mode=Mode.LIVE,
            write_to=WriteTo.NOTHING,
        )
        for each in recipients
    ]
    submitted = [
        MessageSubmitted(
            **about,
            message_id=each.message_id,
            outcome=Accepted(sid=f"SM{each.row}"),
            segments=1,
            attempted_at=datetime.now(UTC),
        )
        for each in recipients
    ]
    return [page, *queued, *submitted]


def message(row: int) -> Any:
    return ids.message_id(ids.recipient_id(facts.RUN, row))


def status(row: int, status: MessageStatus, *, sequence: int, code: int | None = None) -> Event:
    return MessageStatusChanged(
        **facts.about_run(datetime.now(UTC), sequence),
        message_id=message(row),
        status=status,
        error_code=code,
        sid=f"SM{row}",
        segments=1,
        mode=Mode.LIVE,
        attempted_at=datetime.now(UTC),
    )


async def test_tm4_the_report_of_a_run_is_mailed_and_once_more_when_late_statuses_changed_it(
    service_settings: ServiceSettings, log: Log, mail: MailSimulator
) -> None:
    written = facts.definition(report_late_changes=True)
    mail.faults.add("drop_after_data", times=1)
    async with (
        running(make_projections(service_settings, ProjectionsSettings())),
        running(make(service_settings, own(mail))),
    ):
        await log.publish(facts.settings_changed(), now_scheduled(what=written), facts.due())
        # The end is heard of before the read models have any of it.
        await log.publish(facts.completed(rows=3, at=datetime.now(UTC)))
        await log.publish(*texts(3))
        first = [status(row, MessageStatus.SENT, sequence=1) for row in (1, 2, 3)]
        await log.publish(*first)
        # The connection broke when the mail was taken: it comes again, as the same mail.
        await eventually(lambda: len(mail.box.mails) == 2)
        await log.publish(
            status(1, MessageStatus.DELIVERED, sequence=2),
            status(2, MessageStatus.DELIVERED, sequence=2),
            status(3, MessageStatus.UNDELIVERED, sequence=2, code=30003),
        )
        await eventually(lambda: len(mail.box.mails) == 3)
    assert log.dead == []
    one, again, changed = mail.box.mails
    assert one.message_id == again.message_id != changed.message_id
    assert mail.box.source(1) == mail.box.source(2)
    assert {each.to for each in mail.box.mails} == {(facts.AUTHOR,)}
    assert subjects(mail)[1:] == [
        "Text Manager: Report: Dues",
        "Text Manager: Changed report: Dues",
    ]
    letter = parsed(mail.box.source(3) or b"")
    assert letter["in-reply-to"] == one.message_id
    unreachable = (
        "30003                  1         1  Undelivered: The phone is off or out of reach."
    )
    assert unreachable in body(letter, "plain")
    [file] = attachments(letter)
    rows = list(csv.DictReader(io.StringIO(content_of(file).decode(), newline="")))
    assert [(each["imis_id"], each["to"], each["status"]) for each in rows] == [
        ("'=M1", "'+14155550001", "delivered"),
        ("'=M2", "'+14155550002", "delivered"),
        ("'=M3", "'+14155550003", "undelivered"),
    ]


@asynccontextmanager
async def process(settings: ServiceSettings, mail: MailSimulator) -> AsyncIterator[Process]:
    """The notifier as a process of its own, in the slot of the one before it."""
    environment = {
        "KAFKA_URL": settings.kafka_url,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "INSTANCE": settings.instance,
        "TOPIC_PREFIX": settings.topic_prefix,
        "SMTP_URL": f"smtp://127.0.0.1:{mail.listener.port}",
    }
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "textmanager", "run", "notifier"),
        env={**os.environ, **{f"TEXTMANAGER_{name}": value for name, value in environment.items()}},
        stdout=DEVNULL,
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def test_killed_between_the_mail_and_its_outcome_it_mails_again_under_the_same_message_id(
    service_settings: ServiceSettings, log: Log, mail: MailSimulator
) -> None:
    store = make(service_settings, own(mail)).store
    await store.create_tables()
    await store.stop()
    failed = facts.failed().model_copy(update={"occurred_at": datetime.now(UTC)})
    await log.publish(facts.settings_changed(), now_scheduled(at=None), failed)
    mail.faults.add("hang_after_data", times=1)
    async with process(service_settings, mail) as killed:
        await eventually(lambda: mail.box.mails)
        killed.kill()
        await killed.wait()
    async with process(service_settings, mail):
        await eventually(lambda: len(mail.box.mails) == 2)
        # It is done with now: what is told next is the only thing that comes.
        other = ids.run_id(facts.CAMPAIGN, "launch:9")
        await log.publish(failed.model_copy(update={"run_id": other}))
        await eventually(lambda: len(mail.box.mails) == 3)
    first, again, next_one = mail.box.mails
    assert first.message_id == again.message_id != next_one.message_id
    assert mail.box.source(1) == mail.box.source(2)


async def test_x20_what_goes_wrong_and_what_stays_silent_is_mailed_once_over_a_restart(
    service_settings: ServiceSettings, log: Log, mail: MailSimulator
) -> None:
    begun = datetime.now(UTC)
    failed = facts.failed().model_copy(update={"occurred_at": begun})
    wanted = own(mail, silence_grace=0.5)
    mail.faults.add("550", match={"to": facts.OFFICE}, times=1)
    mail.faults.add("421", times=2)
    async with running(make(service_settings, wanted)):
        await log.publish(facts.settings_changed(), now_scheduled(at=begun, launch=2))
        sealed = await log.publish(failed)
        await eventually(lambda: "Text Manager: “Dues” did not run" in subjects(mail))
        await eventually(lambda: "Text Manager: “Dues” could not run" in subjects(mail))
    async with running(make(service_settings, wanted)):
        await log.publish_sealed(*sealed)
        # A marker shows that the repeat was read.
        other = ids.run_id(facts.CAMPAIGN, "launch:9")
        await log.publish(
            failed.model_copy(update={"run_id": other, "reason": "Another."}),
            now_scheduled(at=begun + timedelta(days=1), sequence=3, launch=3),
        )
        await eventually(lambda: len(mail.box.mails) == 3)
    assert log.dead == []
    assert len({each.message_id for each in mail.box.mails}) == 3
    # The office refused one mail for good, and got the others together with the author.
    both = [set(each.recipients) for each in mail.box.mails]
    assert both.count({facts.AUTHOR}) == 1
    assert both.count({facts.AUTHOR, facts.OFFICE}) == 2
