"""TM-16: whom a mail reaches, and how often, whatever the mail server says meanwhile."""

import asyncio

from tests.notifier.doubles import FakePost, office
from tests.notifier.facts import (
    AUTHOR,
    OFFICE,
    Clock,
    Told,
    alarm,
    completed,
    definition,
    failed,
    scheduled,
    settings_changed,
)

from chassis.store import Store
from notifier.domain.letters import Verdict


async def test_tm16_one_address_that_is_both_gets_one_mail(store: Store, clock: Clock) -> None:
    told, one = Told(store, clock), office(store, clock)
    await told.tell(settings_changed(email=AUTHOR.upper()), scheduled(), failed())
    await one.work()
    assert [to for _, to in one.post.letters] == [{AUTHOR.upper()}]


async def test_tm16_without_an_address_the_alert_is_done_with(store: Store, clock: Clock) -> None:
    told, one = Told(store, clock), office(store, clock)
    no_author = scheduled(what=definition(email="a@b.example\r\nBcc: x@y.example"))
    await told.tell(settings_changed(email=None), no_author, failed())
    await one.work()
    assert one.post.letters == []
    await told.tell(settings_changed(), failed())
    await one.work()
    assert one.post.letters == []


async def test_tm16_an_alert_waits_for_a_campaign_that_is_heard_of_later(
    store: Store, clock: Clock
) -> None:
    told, one = Told(store, clock), office(store, clock)
    await told.tell(settings_changed(), failed())
    await one.work()
    assert one.post.letters == []
    await told.tell(scheduled())
    clock.passes(2)
    await one.work()
    assert [to for _, to in one.post.letters] == [{OFFICE, AUTHOR}]


async def test_tm16_of_two_addresses_the_one_that_was_taken_is_not_mailed_again(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock, post=FakePost(verdicts={AUTHOR: Verdict.LATER}))
    await told.tell(failed())
    await one.work()
    assert [to for _, to in one.post.letters] == [{OFFICE}]
    one.post.verdicts.clear()
    clock.passes(5)
    await one.work()
    assert [to for _, to in one.post.letters] == [{OFFICE}, {AUTHOR}]
    assert len(set(one.post.mail_ids)) == 1


async def test_a_refusal_for_good_is_not_tried_for_ever_and_an_outage_is_waited_out(
    store: Store, clock: Clock, told: Told
) -> None:
    post = FakePost(closed=True)
    one = office(store, clock, post=post)
    await told.tell(failed())
    await one.work()
    clock.passes(5)
    await one.work()
    post.closed = False
    clock.passes(9)
    await one.work()
    assert post.letters == []
    clock.passes(1)
    await one.work()
    assert len(post.letters) == 1

    post.verdicts = dict.fromkeys((AUTHOR, OFFICE), Verdict.REFUSED)
    await told.tell(alarm())
    await one.work()
    post.verdicts.clear()
    clock.passes(86_400)
    await one.work()
    assert len(post.letters) == 1


async def test_what_happened_long_ago_is_not_mailed_any_more(
    store: Store, clock: Clock, told: Told
) -> None:
    one = office(store, clock)
    await told.tell(failed(), completed())
    clock.passes(7 * 86_400 + 1)
    await one.work()
    assert one.post.letters == []


async def test_killed_between_the_mail_and_its_outcome_it_comes_again_under_the_same_id(
    store: Store, clock: Clock, told: Told
) -> None:
    post = FakePost(hangs_after_taking=True)
    first = office(store, clock, post=post)
    await told.tell(failed())
    dying = asyncio.create_task(first.posting.step())
    await post.took.wait()
    dying.cancel()
    await asyncio.wait([dying])
    post.hangs_after_taking = False
    # Another slot's process waits for the lease, one that takes the place does not.
    beside = office(store, clock, post=post, instance="t-2")
    await beside.work()
    assert len(post.letters) == 1
    after = office(store, clock, post=post)
    await after.work()
    assert len(post.letters) == 2
    assert len(set(post.mail_ids)) == 1
    await beside.work()
    assert len(post.letters) == 2
