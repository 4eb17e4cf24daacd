"""Runs that wait for an account or a list, and what they find when they go on."""

from uuid import uuid4

from tests.audience.fakes import FakeImis
from tests.audience.orders import NOON, member, members, sealed, settings_changed
from tests.audience.test_runs import Scene

from audience.domain.failures import NotHereYet
from contracts.events.audience import AudienceAwaited, AudienceFailed, RecipientsResolved
from imis_client import CredentialsRejected


async def test_x20_a_refused_login_is_tried_once_told_of_each_run_and_goes_on_by_itself() -> None:
    scene, first, second = Scene(FakeImis(members(3))), sealed(), sealed()
    await scene.order(first)
    await scene.order(second)
    scene.imis.errors = [CredentialsRejected("no")]
    for _ in range(5):
        await scene.work()
        scene.clock.forward(hours=3)
    # Nobody logged in a second time, however long it took: iMIS would lock the account.
    assert len(scene.imis.pages) == 1
    told: list[AudienceAwaited] = await scene.said(AudienceAwaited)
    assert [each.run_id for each in told] == [first.event.run_id, second.event.run_id]
    assert all("username and password" in each.reason for each in told)
    assert await scene.said(AudienceFailed) == []

    await scene.rig.change_settings(settings_changed(sequence=2))
    await scene.work()
    await scene.work()
    assert len(await scene.recipients()) == 6
    assert await scene.said(AudienceAwaited) == told


async def test_x20_a_password_that_is_wrong_again_is_tried_once_and_told_of_again() -> None:
    scene = Scene(FakeImis(members(3)))
    await scene.order(sealed())
    scene.imis.errors = [CredentialsRejected("no")] * 2
    await scene.work()
    await scene.rig.change_settings(settings_changed(sequence=2))
    await scene.work()
    await scene.work()
    told: list[AudienceAwaited] = await scene.said(AudienceAwaited)
    assert [each.settings_sequence for each in told] == [1, 2]
    assert len(scene.imis.pages) == 2


async def test_x20_a_password_that_expires_while_pages_are_read_costs_no_page() -> None:
    scene = Scene(FakeImis(members(5)))
    await scene.order(sealed())
    scene.stops_after = 1
    await scene.work(page_rows=2)
    scene.stops_after = None
    scene.imis.errors = [CredentialsRejected("expired")]
    await scene.work(page_rows=2)
    assert await scene.work(page_rows=2) is None
    await scene.rig.change_settings(settings_changed(sequence=2))
    await scene.work(page_rows=2)
    assert [offset for _, offset in scene.imis.pages] == [0, 2, 2, 4]
    assert len(await scene.recipients()) == 5
    assert len(await scene.said(AudienceAwaited)) == 1


async def test_x20_what_was_read_is_resolved_though_the_login_is_refused_meanwhile() -> None:
    scene = Scene(FakeImis(members(4)))
    await scene.order(sealed())
    scene.stops_after = 2
    await scene.work(page_rows=4)
    refused = await scene.rig.runs().claim(at=NOON)
    assert refused is not None
    assert refused.progress.reading.done
    await scene.rig.runs().refuse_login(refused)
    await scene.rig.runs().put_back(refused, not_before=NOON, failed=False)
    scene.stops_after = None
    await scene.work()
    assert len(await scene.recipients()) == 4


async def test_x20_the_totals_tell_how_many_rows_there_were_last_time() -> None:
    scene, campaign = Scene(FakeImis(members(40))), uuid4()
    for rows, last_time in ((40, None), (3, 40), (0, 3)):
        scene.imis.default = members(rows)
        run = sealed(campaign_id=campaign, occurrence=f"of {rows}", run_id=uuid4())
        await scene.order(run)
        await scene.work()
        pages = await scene.said(RecipientsResolved)
        [totals] = [p.totals for p in pages if p.run_id == run.event.run_id and p.totals]
        assert (totals.rows, totals.rows_last_time) == (rows, last_time)
        scene.clock.forward(hours=1)


async def test_x11_an_uploaded_list_is_waited_for_and_given_up_with_a_sentence() -> None:
    scene = Scene(FakeImis(members(3)))
    await scene.order(sealed())
    await scene.order(sealed())
    scene.imis.errors = [NotHereYet()]
    await scene.work()
    scene.clock.forward(seconds=1)
    await scene.work()
    assert len(await scene.recipients()) == 3

    scene.imis.errors = [NotHereYet()] * 99
    while await scene.said(AudienceFailed) == []:
        await scene.work()
        scene.clock.forward(minutes=1)
    [failed] = await scene.said(AudienceFailed)
    assert "Upload it anew" in failed.reason
    assert 2 < scene.clock.at.minute + 60 * (scene.clock.at.hour - 12) < 15


async def test_tm7_dates_money_and_numbers_read_by_the_locale_and_ids_stay() -> None:
    row = member("100001", name="Ann", Joined="2019-03-04T00:00:00", Dues="1234.5", Code="007")
    scene = Scene(FakeImis([row]))
    scene.imis.kinds = {"Joined": "date", "Dues": "money", "iMIS Id": "whole"}
    template = "${iMIS Id}: ${Joined}, ${Dues}, ${Code}"
    for locale in ("en-US", "de-DE"):
        await scene.order(sealed(template=template, locale=locale))
        await scene.work()
    pages = await scene.said(RecipientsResolved)
    assert [each.text for page in pages for each in page.recipients] == [
        "100001: Mar 4, 2019, $1,234.50, 007",
        "100001: 04.03.2019, 1.234,50 €, 007",
    ]
