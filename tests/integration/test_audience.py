"""X-1, X-8, TM-5, TM-10: a due run becomes recipients, whatever iMIS and the process do."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import SecretStr
from tests.audience.orders import DEMO, OTHER, due, request, settings_changed
from tests.harness import Log, eventually, running

from audience.app import make
from audience.settings import AudienceSettings
from chassis.secrets import SecretBox
from chassis.settings import ServiceSettings
from contracts import ids
from contracts.envelope import seal
from contracts.events.audience import (
    AudienceAwaited,
    AudienceFailed,
    AudiencePreviewed,
    Reason,
    RecipientRejected,
    RecipientsResolved,
    Totals,
)
from contracts.events.campaign import Audience
from contracts.events.organization import OrganizationSettingsChanged
from simulators.imis.app import ImisSimulator
from simulators.imis.catalogue import BY_CITY, MEMBERS, NOBODY, NOT_FOR_REST
from simulators.imis.settings import Settings
from simulators.shared import running as serving

OWN = AudienceSettings(look_again_seconds=0.05)
PLAIN = "Hello."
TEMPLATE = "Hello ${FullName}, your balance is ${Balance}."


def audience(path: str = MEMBERS, *prompts: str) -> Audience:
    return Audience(
        iqa_path=path, phone_column="Mobile Phone", id_column="iMIS Id", prompts=prompts
    )


@asynccontextmanager
async def imis_site(
    folder: Path, *, recipients: int = 1000, profile: Literal["ems", "2017"] = "ems"
) -> AsyncIterator[tuple[ImisSimulator, str]]:
    site = _site(folder, Settings(profile=profile, recipients=recipients))
    async with serving(site) as url:
        yield site, url


def _site(folder: Path, settings: Settings) -> ImisSimulator:
    folder.mkdir()
    return ImisSimulator(settings, state=folder)


def access(
    settings: ServiceSettings,
    url: str,
    *,
    organization_id: UUID = DEMO,
    password: str = "service-pass",
    **more: Any,
) -> OrganizationSettingsChanged:
    encrypted = SecretBox(settings.secret_key).seal(SecretStr(password))
    return settings_changed(organization_id, url=url, password_encrypted=encrypted, **more)


async def last_page(log: Log, run_id: UUID, *, seconds: float = 30) -> Totals:
    """Wait for the run's totals, and check them by all that was said of the run."""
    [page] = await log.wait_for(
        RecipientsResolved,
        where=lambda each: each.run_id == run_id and each.totals is not None,
        seconds=seconds,
    )
    totals = page.totals
    assert totals is not None

    def of_run(kind: type[Any]) -> dict[UUID, Any]:
        return {each.id: each.event for each in log.of(kind) if each.event.run_id == run_id}

    await eventually(lambda: len(of_run(RecipientRejected)) == totals.rejected)
    pages = list(of_run(RecipientsResolved).values())
    assert sorted(each.sequence for each in pages) == list(range(1, len(pages) + 1))
    recipients = [each for one in pages for each in one.recipients]
    rejected = [each.row for each in of_run(RecipientRejected).values()]
    rows = sorted([each.row for each in recipients] + rejected)
    assert rows == list(range(1, totals.rows + 1))
    pairs = [(each.imis_id, each.to) for each in recipients]
    assert len(pairs) == len(set(pairs)) == totals.recipients
    assert sum(each.segments for each in recipients) == totals.segments
    return totals


async def test_x_2_every_row_of_a_dirty_audience_has_its_documented_outcome(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    run = seal(due(audience=audience(), template=TEMPLATE))
    preview = request(audience=audience(), template=TEMPLATE)
    async with (
        imis_site(tmp_path / "imis") as (site, url),
        running(make(service_settings, OWN)),
    ):
        # The run waits for its organisation's settings.
        await log.publish_sealed(run)
        await log.publish(access(service_settings, url))
        totals = await last_page(log, run.event.run_id)
        assert (totals.rows, totals.rejected) == (1000, 30)

        pages = [each.event for each in log.of(RecipientsResolved)]
        by_row = {each.row: each for page in pages for each in page.recipients}
        rejections = {each.event.row: each.event for each in log.of(RecipientRejected)}
        assert {each.causation_id for each in log.of(RecipientsResolved)} == {run.id}
        assert {each.causation_id for each in log.of(RecipientRejected)} == {run.id}

        kinds = {index + 1: site.people.kind(index) for index in range(1000)}
        refused = {"invalid number": Reason.INVALID_NUMBER, "empty number": Reason.NO_NUMBER}
        for row, kind in kinds.items():
            if row in rejections:
                # Of two rows that repeat, the later one is left out.
                assert rejections[row].reason is refused.get(kind, Reason.REPEATED_ROW)
            else:
                assert kind not in refused
                assert by_row[row].text.startswith("Hello ")
        assert Counter(each.reason for each in rejections.values()) == {
            Reason.INVALID_NUMBER: 10,
            Reason.NO_NUMBER: 10,
            Reason.REPEATED_ROW: 10,
        }
        shared = [row for row, kind in kinds.items() if kind == "shared phone"]
        assert len({by_row[row].to for row in shared}) == len(shared) // 2
        two_phones = [row for row, kind in kinds.items() if kind == "two phones"]
        assert len({by_row[row].imis_id for row in two_phones}) == len(two_phones) // 2
        nameless = [row for row, kind in kinds.items() if kind == "no name"]
        assert all(by_row[row].text.startswith("Hello , your") for row in nameless)
        long_names = [row for row, kind in kinds.items() if kind == "long name"]
        assert all(by_row[row].segments == 2 for row in long_names)
        assert any(
            by_row[row].to.startswith("+44")
            for row, kind in kinds.items()
            if kind == "British number"
        )

        # TM-10: the preview says the same of the same rows.
        await log.publish(preview)
        [answer] = await log.wait_for(AudiencePreviewed)
        assert (answer.preview_id, answer.failure) == (preview.preview_id, None)
        assert (answer.contacts_returned, answer.recipients) == (1000, totals.recipients)
        assert answer.segments == totals.segments
        assert answer.excluded == Counter(each.reason for each in rejections.values())
        assert answer.lacking_values == len(nameless)
        assert answer.ucs2_messages > 0

        # The same run again changes nothing, though iMIS would now give other rows.
        before = len(log.envelopes)
        site.people._rows = 900
        await log.publish_sealed(run)
        marker = due(audience=audience(NOBODY), template=PLAIN)
        await log.publish(marker)
        nobody = await last_page(log, marker.run_id)
        assert nobody == Totals(rows=0, recipients=0, rejected=0, segments=0)
        # The run and its marker as we published them, and the marker's one page.
        assert len(log.envelopes) == before + 3
        assert log.dead == []


async def test_pitfall_19_imis_on_a_bad_day_costs_nobody_a_text_or_a_second_one(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    run = due(audience=audience(), template=TEMPLATE)
    async with imis_site(tmp_path / "imis", recipients=2500) as (site, url):
        paging = {"path": "/api/query"}
        site.faults.add("500_before", times=1, match=paging)
        site.faults.add("expire_mid_paging", times=1, match=paging)
        site.faults.add("html_page", times=1, match=paging | {"offset": "1000"})
        site.faults.add("rows_move", times=2, match=paging)
        site.faults.add("total_drift", times=1, match=paging)
        async with running(make(service_settings, OWN)):
            await log.publish(access(service_settings, url), run)
            totals = await last_page(log, run.run_id)
        assert not [rule.name for rule in site.faults.rules if rule.left]
    everybody = site.people.rows(0, 2500)
    texted = {each.imis_id for page in log.of(RecipientsResolved) for each in page.event.recipients}
    refused = {each.event.imis_id for each in log.of(RecipientRejected)}
    assert texted | refused == {row[0] for row in everybody}
    assert totals.recipients == 2500 - 75


async def test_x_1_a_run_goes_on_where_a_stopped_process_left_it(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    run = due(audience=audience(), template=TEMPLATE)
    async with imis_site(tmp_path / "imis", recipients=2000) as (site, url):
        site.settings.latency_seconds = 0.1
        async with running(make(service_settings, OWN)):
            await log.publish(access(service_settings, url), run)
            await eventually(lambda: site.counts["rows"] >= 1000)
        assert log.of(RecipientsResolved) == []
        read_before = site.counts["rows"]
        site.settings.latency_seconds = 0.0
        async with running(make(service_settings, OWN)):
            totals = await last_page(log, run.run_id)
    assert (totals.rows, totals.recipients) == (2000, 2000 - 60)
    # Two passes, as rows repeat; at most one page was asked for twice.
    assert site.counts["rows"] <= 4000 + 500
    assert read_before < 4000


async def test_x20_an_expired_password_is_tried_once_and_all_goes_on_when_it_is_saved_anew(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    runs = [due(audience=audience(), template=TEMPLATE) for _ in range(3)]
    asked = [request(audience=audience(), template=TEMPLATE) for _ in range(3)]
    async with (
        imis_site(tmp_path / "imis", recipients=50) as (site, url),
        running(make(service_settings, OWN)),
    ):
        await log.publish(access(service_settings, url, password="expired"), *runs, *asked)
        answers = await log.wait_for(AudiencePreviewed, count=3)
        assert all("username and password" in (each.failure or "") for each in answers)
        # Each run says once that it waits, and how to mend it; none has failed.
        told = await log.wait_for(AudienceAwaited, count=3)
        assert {each.run_id for each in told} == {run.run_id for run in runs}
        assert all("save both anew in the settings" in each.reason for each in told)
        assert site.logins.bad == 1
        await log.publish(access(service_settings, url, sequence=2))
        for run in runs:
            assert (await last_page(log, run.run_id)).recipients == 50
        assert site.logins.bad == 1
        # One client, so one login, served every run.
        assert site.logins.good == 1
        assert len(log.of(AudienceAwaited)) == 3
        assert log.of(AudienceFailed) == []


async def test_x_8_an_imis_that_hangs_holds_up_neither_others_nor_previews(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    stuck = [due(audience=audience(), organization_id=DEMO, template=PLAIN) for _ in range(6)]
    quick = due(audience=audience(), organization_id=OTHER, template=PLAIN)
    preview = request(audience=audience(NOBODY), organization_id=DEMO, template=PLAIN)
    async with (
        imis_site(tmp_path / "slow", recipients=50) as (slow, slow_url),
        imis_site(tmp_path / "fast", recipients=50) as (_, fast_url),
    ):
        slow.faults.add("hang", match={"query": MEMBERS})
        async with running(make(service_settings, OWN)):
            await log.publish(
                access(service_settings, slow_url),
                access(service_settings, fast_url, organization_id=OTHER),
                *stuck,
            )
            await eventually(lambda: slow.in_flight == 1)
            await log.publish(quick, preview)
            assert (await last_page(log, quick.run_id)).recipients == 50
            [answer] = await log.wait_for(AudiencePreviewed)
            assert (answer.preview_id, answer.failure) == (preview.preview_id, None)
            assert slow.most_in_flight <= 2


@pytest.mark.parametrize("profile", ["ems", "2017"])
async def test_a_query_that_asks_for_values_gets_them(
    service_settings: ServiceSettings,
    log: Log,
    tmp_path: Path,
    profile: Literal["ems", "2017"],
) -> None:
    answered = due(audience=audience(BY_CITY, "Boston"), template=PLAIN)
    unanswered = due(audience=audience(BY_CITY), template=PLAIN)
    async with (
        imis_site(tmp_path / "imis", recipients=30, profile=profile) as (_, url),
        running(make(service_settings, OWN)),
    ):
        settings = access(service_settings, url, version=profile)
        await log.publish(settings, answered, unanswered)
        assert (await last_page(log, answered.run_id)).recipients == 8
        [failed] = await log.wait_for(AudienceFailed)
    assert failed.run_id == unanswered.run_id
    assert "A value is required for the prompt City" in failed.reason


async def test_tm_5_a_query_that_rest_may_not_run_is_said_with_how_to_mend_it(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    run = due(audience=audience(NOT_FOR_REST), template=PLAIN)
    preview = request(audience=audience(NOT_FOR_REST), template=PLAIN)
    async with (
        imis_site(tmp_path / "imis", recipients=50) as (_, url),
        running(make(service_settings, OWN)),
    ):
        [cause, *_] = await log.publish(run, preview, access(service_settings, url))
        [failed] = await log.wait_for(AudienceFailed)
        [answer] = await log.wait_for(AudiencePreviewed)
    assert failed.run_id == ids.run_id(run.campaign_id, run.occurrence)
    assert "Available via the REST API" in failed.reason
    assert answer.failure == failed.reason
    assert log.of(AudienceFailed)[0].causation_id == cause.id


async def test_a_first_start_takes_the_runs_that_were_due_before_it(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    run = due(audience=audience(), organization_id=DEMO, template=PLAIN)
    async with imis_site(tmp_path / "site", recipients=50) as (_, url):
        await log.publish(run, run, access(service_settings, url))
        async with running(make(service_settings, OWN)):
            assert (await last_page(log, run.run_id)).recipients == 50
    assert len({each.causation_id for each in log.of(RecipientsResolved)}) == 1
