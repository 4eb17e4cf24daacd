"""TM-5, TM-7, TM-10, X-3, X-11: what an audience is read from, and what changes under it."""

from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import orjson
import pytest
from tests.audience.orders import AUDIENCE, due, request
from tests.audience.test_kept import change, parts
from tests.harness import Log, running
from tests.imis_client.test_kinds import COLUMNS, DUES, ROWS, TYPES
from tests.integration.test_audience import (
    OWN,
    PLAIN,
    TEMPLATE,
    access,
    audience,
    imis_site,
    last_page,
)

from audience.app import make
from chassis.settings import ServiceSettings
from contracts.events.audience import (
    AudienceFailed,
    AudiencePreviewed,
    Reason,
    RecipientRejected,
    RecipientsResolved,
)
from simulators.imis.app import ImisSimulator
from simulators.imis.catalogue import BY_CITY, MEMBERS
from simulators.imis.custom import change_queries

Profile = Literal["ems", "2017"]


def put(site: ImisSimulator, path: str, **told: Any) -> None:
    status, answer = change_queries(
        site.catalogue, "PUT", orjson.dumps({"path": path, "columns": COLUMNS} | told)
    )
    assert status == 200, answer


def drop(site: ImisSimulator, path: str) -> None:
    change_queries(site.catalogue, "DELETE", orjson.dumps({"path": path}))


@pytest.mark.parametrize(
    "case",
    [
        ("ems", "en-US", "007: Jan 31, 2027; Mar 4, 2019, 2:05 PM; $1,234.50; 42; 00742"),
        ("ems", "de-DE", "007: 31.01.2027; 04.03.2019, 14:05; 1.234,50 €; 42; 00742"),
        # A 2017 definition has no alias, so it speaks only of the columns whose alias is their own
        # name, as Dues; of the others a value's type tells, where it has one.
        ("2017", "en-US", "007: 2027-01-31T00:00:00; Mar 4, 2019, 2:05 PM; $1,234.50; 42; 00742"),
    ],
)
async def test_tm7_what_imis_types_reads_by_the_organisations_locale(
    service_settings: ServiceSettings,
    log: Log,
    tmp_path: Path,
    case: tuple[Profile, str, str],
) -> None:
    profile, locale, text = case
    template = "${iMIS Id}: ${Paid Through}; ${Joined}; ${Dues}; ${Points}; ${Zip}"
    run = due(audience=audience(DUES), template=template, locale=locale)
    preview = request(audience=audience(DUES), template=template, locale=locale)
    async with (
        imis_site(tmp_path / "imis", recipients=10, profile=profile) as (site, url),
        running(make(service_settings, OWN)),
    ):
        put(site, DUES, rows=ROWS, types=TYPES)
        await log.publish(access(service_settings, url, version=profile), run, preview)
        await last_page(log, run.run_id)
        [answer] = await log.wait_for(AudiencePreviewed)
    [page] = [each.event for each in log.of(RecipientsResolved)]
    assert [each.text for each in page.recipients] == [text]
    assert [each.text for each in answer.samples] == [text]


@pytest.mark.parametrize("profile", ["ems", "2017"])
async def test_tm5_a_prompt_that_is_renamed_before_the_second_run_fails_it_by_name(
    service_settings: ServiceSettings, log: Log, tmp_path: Path, profile: Profile
) -> None:
    asked = AUDIENCE.model_copy(update={"iqa_path": DUES, "answers": {"Chapter": "Boston"}})
    first, second = due(audience=asked, template=PLAIN), due(audience=asked, template=PLAIN)
    async with (
        imis_site(tmp_path / "imis", recipients=10, profile=profile) as (site, url),
        running(make(service_settings, OWN)),
    ):
        put(site, DUES, rows=ROWS, prompt="Chapter")
        await log.publish(access(service_settings, url, version=profile), first)
        assert (await last_page(log, first.run_id)).rows == 2
        put(site, DUES, rows=ROWS, prompt="Section")
        await log.publish(second)
        [failed] = await log.wait_for(AudienceFailed)
    assert failed.run_id == second.run_id
    assert all(word in failed.reason for word in ("Chapter", "Section", "renamed"))
    assert {each.event.run_id for each in log.of(RecipientsResolved)} == {first.run_id}


async def test_tm5_a_required_prompt_without_a_value_is_named(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    async with (
        imis_site(tmp_path / "imis", recipients=30) as (_, url),
        running(make(service_settings, OWN)),
    ):
        await log.publish(
            access(service_settings, url), due(audience=audience(BY_CITY), template=PLAIN)
        )
        [failed] = await log.wait_for(AudienceFailed)
    assert "a value that the campaign doesn't give: City:" in failed.reason


@pytest.mark.parametrize("profile", ["ems", "2017"])
async def test_x20_a_query_that_moved_fails_the_run_and_names_its_path(
    service_settings: ServiceSettings, log: Log, tmp_path: Path, profile: Profile
) -> None:
    first, second = (
        due(audience=audience(DUES), template=PLAIN),
        due(audience=audience(DUES), template=PLAIN),
    )
    async with (
        imis_site(tmp_path / "imis", recipients=10, profile=profile) as (site, url),
        running(make(service_settings, OWN)),
    ):
        put(site, DUES, rows=ROWS)
        await log.publish(access(service_settings, url, version=profile), first)
        await last_page(log, first.run_id)
        drop(site, DUES)
        put(site, f"{DUES} (2028)", rows=ROWS)
        await log.publish(second)
        [failed] = await log.wait_for(AudienceFailed)
    assert failed.run_id == second.run_id
    assert f"no query {DUES}: it was moved, renamed or deleted" in failed.reason


async def test_x11_an_uploaded_list_is_texted_as_a_query_is_and_needs_no_imis(
    service_settings: ServiceSettings, log: Log
) -> None:
    upload = uuid4()
    listed = AUDIENCE.model_copy(update={"iqa_path": "", "upload_id": upload})
    run = due(audience=listed, template="Hello ${Name}", one_text_per_phone=True)
    preview = request(audience=listed, template="Hello ${Name}", one_text_per_phone=True)
    first, *others = parts(upload, 1200, size=500)
    shared = ("900", "+12025550001", "Zoë again")
    first = first.model_copy(update={"lines": (*first.lines[:2], shared, *first.lines[3:])})
    async with running(make(service_settings, OWN)):
        # The run is due before its list is whole, and nobody answers at the iMIS address.
        await log.publish(access(service_settings, "http://127.0.0.1:1"), run, first)
        await log.publish(*others)
        totals = await last_page(log, run.run_id)
        assert (totals.rows, totals.recipients, totals.rejected) == (1200, 1199, 1)
        await log.publish(preview)
        [answer] = await log.wait_for(AudiencePreviewed)
    [rejection] = [each.event for each in log.of(RecipientRejected)]
    assert (rejection.row, rejection.reason) == (3, Reason.SHARED_PHONE)
    assert (rejection.imis_id, rejection.same_as_imis_id) == ("900", "1")
    assert (answer.recipients, answer.excluded) == (1199, {Reason.SHARED_PHONE: 1})
    assert answer.samples[0].text == 'Hello Zoë "0"'


async def test_x3_tm10_a_preview_leaves_out_who_opted_out_and_tells_where_the_others_are(
    service_settings: ServiceSettings, log: Log, tmp_path: Path
) -> None:
    preview = request(audience=audience(), template=TEMPLATE)
    async with (
        imis_site(tmp_path / "imis", recipients=90) as (site, url),
        running(make(service_settings, OWN)),
    ):
        queried = site.catalogue.queries[MEMBERS]
        numbers = [row[3] for row in queried.fetch("", 0, 3)]
        mine, everywhere, others = numbers
        # Nobody waits here until the service has heard of them: it does so by itself.
        await log.publish(
            change(mine),
            change(everywhere, from_number=""),
            change(others, from_number="+18885550100"),
        )
        await log.publish(access(service_settings, url), preview)
        [answer] = await log.wait_for(AudiencePreviewed)
    assert (answer.contacts_returned, answer.recipients) == (90, 88)
    assert answer.excluded == {Reason.OPTED_OUT: 2}
    assert sum(answer.messages_by_place.values()) == 88
    assert sum(answer.segments_by_place.values()) == answer.segments
    assert all(" " in place for place in answer.messages_by_place)
    assert len(answer.samples) == 5
