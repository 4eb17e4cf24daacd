"""X-2, X-3, X-10 through the real service: opt-outs, decisions and resends by their topics."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select
from tests.harness import Log, eventually, running
from tests.integration.test_sender import (
    ORGANIZATION,
    SENDER,
    numbers,
    organization,
    own,
    page,
    post_elsewhere,
    sent_to,
    twilio,
)

from chassis.service import Service
from chassis.settings import ServiceSettings
from contracts import ids
from contracts.events.audience import Reason
from contracts.events.consent import Consent, ConsentCause, ConsentChanged
from contracts.events.message import (
    Accepted,
    MessageQueued,
    MessageResolutionDecided,
    MessageSubmitted,
    RecipientExcluded,
    Resolution,
    Unresolved,
)
from contracts.events.run import RunResendRequested, RunResent
from sender.adapters.tables import CONSENTS
from sender.app import make


def consent(number: str, sequence: int, *, out: bool) -> ConsentChanged:
    return ConsentChanged(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=sequence,
        consent_id=ids.consent_id(ORGANIZATION, number),
        number=number,
        from_number=SENDER,
        consent=Consent.OPTED_OUT if out else Consent.OPTED_IN,
        cause=ConsentCause.KEYWORD,
    )


async def test_x_3_an_opt_out_keeps_a_waiting_text_from_being_sent(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    wanted = numbers(12)
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url))) as service,
    ):
        # Nothing may leave yet, as the organisation's settings are not known.
        await log.publish(page(wanted))
        await log.wait_for(MessageQueued, count=12)
        await log.publish(consent(wanted[3], 1, out=True))
        [excluded] = await log.wait_for(RecipientExcluded)
        await log.publish(organization(service_settings))
        await log.wait_for(MessageSubmitted, count=11)
        await log.publish(consent(wanted[3], 2, out=False))
        # Consents and pages are read side by side: a page that overtakes is still opted out.
        await eventually(lambda: _opted_in(service))
        await log.publish(page([wanted[3]]))
        await log.wait_for(MessageSubmitted, count=12)
        assert sent_to(simulator) == dict.fromkeys(wanted, 1)
    assert (excluded.reason, excluded.row) == (Reason.OPTED_OUT, 4)


async def _opted_in(service: Service) -> bool:
    async with service.store.read() as connection:
        found = await connection.scalars(select(CONSENTS.c.opted_out))
        return found.all() == [False]


def resend(of: UUID, campaign: UUID) -> RunResendRequested:
    return RunResendRequested(
        organization_id=ORGANIZATION,
        occurred_at=datetime.now(UTC),
        sequence=1,
        run_id=of,
        campaign_id=campaign,
        by="staff",
    )


async def test_x_2_what_was_over_the_limit_is_resent_once_however_often_it_is_asked_for(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    asked = page(numbers(7))
    async with (
        twilio(tmp_path) as (simulator, url),
        running(make(service_settings, own(url, redis_url))),
    ):
        await log.publish(organization(service_settings, segments_per_run=4), asked)
        await log.wait_for(RecipientExcluded, count=3)
        await log.wait_for(MessageSubmitted, count=4)
        await log.publish(
            resend(asked.run_id, asked.campaign_id), resend(asked.run_id, asked.campaign_id)
        )
        [resent] = await log.wait_for(RunResent)
        await log.wait_for(MessageSubmitted, count=7)
        marker = page([numbers(50)[-1]])
        await log.publish(marker)
        await log.wait_for(MessageSubmitted, where=lambda e: e.run_id == marker.run_id)
        assert sent_to(simulator) == dict.fromkeys([*numbers(7), numbers(50)[-1]], 1)
    assert (resent.recipients, resent.earlier_run_id) == (3, asked.run_id)
    assert len(log.of(RunResent)) == 1
    stand_ins = [each.event for each in log.of(MessageQueued) if each.event.supersedes]
    assert sorted(each.row for each in stand_ins) == [5, 6, 7]


async def test_x_10_an_operator_settles_an_unknown_message(
    service_settings: ServiceSettings, log: Log, redis_url: str, tmp_path: Path
) -> None:
    asked = page(numbers(1))
    async with twilio(tmp_path) as (simulator, url):
        simulator.faults.add("drop_after", times=1)
        async with running(make(service_settings, own(url, redis_url, grace=1.0))):
            await log.publish(organization(service_settings), asked)
            await eventually(lambda: sent_to(simulator))
            await post_elsewhere(url, numbers(1)[0], "Hi")
            await log.wait_for(MessageSubmitted, where=lambda e: isinstance(e.outcome, Unresolved))
            sid = next(entry["sid"] for _, entry in simulator.store.messages.entries_from(0))
            decided = MessageResolutionDecided(
                organization_id=ORGANIZATION,
                occurred_at=datetime.now(UTC),
                sequence=1,
                run_id=asked.run_id,
                campaign_id=asked.campaign_id,
                message_id=asked.recipients[0].message_id,
                resolution=Resolution.SENT,
                sid=sid,
                by="operator",
            )
            stranger = decided.model_copy(update={"organization_id": uuid4()})
            await log.publish(stranger, decided)
            [submitted] = await log.wait_for(
                MessageSubmitted, where=lambda e: isinstance(e.outcome, Accepted)
            )
    assert submitted.outcome == Accepted(sid=sid)
