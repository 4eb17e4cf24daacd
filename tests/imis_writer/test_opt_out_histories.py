"""TM-21: what is left in iMIS of any history of STOPs, STARTs and attempts."""

from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.imis_writer.desk import Desk
from tests.imis_writer.facts import after, excluded, start, stop
from tests.imis_writer.kept import Kept

from contracts.envelope import Envelope


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(data=st.data())
async def test_tm21_in_the_end_only_attempts_since_the_last_start_are_marked(
    kept: Kept, data: st.DataObject
) -> None:
    """However far what is told of consent and of attempts lags behind the other."""
    # A member of its own each time: the ledger stays, and iMIS begins anew.
    desk, imis_id = Desk(kept), uuid4().hex
    member = {"number": f"+1{uuid4().int % 10**10:010}"}
    await desk.save()
    consents: list[Envelope[Any]] = [stop(1, after(0), **member)]
    attempts: list[Envelope[Any]] = []
    last_start = -1
    for at, toggles in enumerate(data.draw(st.lists(st.booleans(), max_size=8)), 1):
        opted_out = len(consents) % 2
        if toggles:
            change = start if opted_out else stop
            consents.append(change(len(consents) + 1, after(at), **member))
            last_start = at if opted_out else last_start
        elif opted_out:
            attempts.append(excluded(to=member["number"], imis_id=imis_id, occurred_at=after(at)))
    times = [each.event.occurred_at for each in attempts]
    wanted = [each.replace(microsecond=0) for each in times if each > after(last_start)]
    desk.clock.passes(100)
    while consents or attempts:
        stream = data.draw(st.sampled_from([each for each in (consents, attempts) if each]))
        batch = data.draw(st.integers(1, len(stream)))
        if stream is consents:
            await kept.consents(stream[:batch])
        else:
            await kept.excluded(stream[:batch])
        del stream[:batch]
        if data.draw(st.booleans()):
            desk.imis.plan = data.draw(st.lists(st.sampled_from(["lost", "well"]), max_size=2))
            await desk.writer.step()
            desk.clock.passes(60)
    await desk.work_on()
    marked = [each for each in desk.imis.held if each.number == member["number"]]
    assert sorted(each.transaction_date for each in marked if each.transaction_date) == wanted
