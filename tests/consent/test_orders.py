"""TM-20: who may be texted in the end, whatever the order, the repeats and the lateness of news."""

import asyncio
import random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from tests.consent.facts import DESK, OFFICE, refusal, settings, text
from tests.consent.rigs import MemoryRig, Rig, sqlite_rig
from tests.consent.test_consent import OUT, known

from contracts.envelope import Envelope

FACTS = st.lists(
    st.builds(
        lambda n, word, at, to, listed: text(
            word,
            sid=f"SM{n}",
            seconds=at,
            to=to,
            DateCreated="x" if listed else "",
        ),
        st.integers(0, 10**9),
        st.sampled_from(["STOP", "START", "hello", "stop it"]),
        st.integers(0, 4),
        st.sampled_from([OFFICE, DESK]),
        st.booleans(),
    )
    | st.builds(
        lambda n, at: refusal(str(n), seconds=at), st.integers(0, 10**9), st.integers(0, 4)
    ),
    max_size=10,
)


async def end_of(rig: Rig, batches: list[list[Envelope[Any]]]) -> dict[Any, str]:
    """Tell batches, and return where each pair stands: out, or in."""
    for batch in batches:
        await rig.texts(*(each for each in batch if "message_sid" in type(each.event).model_fields))
        await rig.refusals(
            *(each for each in batch if "message_sid" not in type(each.event).model_fields)
        )
    last: dict[UUID, Any] = {}
    for each in await rig.published():
        before = last.get(each.event.consent_id)
        assert each.event.sequence == (before.sequence + 1 if before else 1)
        assert before is None or before.consent is not each.event.consent
        last[each.event.consent_id] = each.event
    standings = await rig.standings()
    assert standings == {
        (event.from_number, event.number): (event.consent.value, event.sequence)
        for event in last.values()
    }
    return {pair: consent for pair, (consent, _) in standings.items() if consent == OUT}


def shuffled(facts: list[Envelope[Any]], chance: random.Random) -> list[list[Envelope[Any]]]:
    """Tell each fact up to three times, in any order, in batches of any size."""
    told = [each for each in facts for _ in range(chance.randint(1, 3))]
    chance.shuffle(told)
    batches = []
    while told:
        size = chance.randint(1, 4)
        batches.append(told[:size])
        told = told[size:]
    return batches


@given(FACTS, st.randoms(use_true_random=False), st.sampled_from(["number", "organization"]))
@profile(deadline=None)
def test_any_order_and_repetition_ends_in_the_same_state(
    facts: list[Envelope[Any]], chance: random.Random, scope: Any
) -> None:
    async def both() -> None:
        first, second = MemoryRig(), MemoryRig()
        for rig in (first, second):
            await rig.change_settings(settings(opt_out_of=scope))
        in_order = sorted(facts, key=lambda each: each.event.occurred_at)
        assert await end_of(first, [[each] for each in in_order]) == await end_of(
            second, shuffled(facts, chance)
        )

    asyncio.run(both())


@given(FACTS, st.randoms(use_true_random=False))
@profile(max_examples=15, deadline=None)
def test_sql_ends_as_memory_does(facts: list[Envelope[Any]], chance: random.Random) -> None:
    async def both() -> None:
        batches = shuffled(facts, chance)
        memory = await known(MemoryRig())
        async with sqlite_rig() as sql:
            await known(sql)
            assert await end_of(memory, batches) == await end_of(sql, batches)
            assert sorted(await memory.history()) == sorted(await sql.history())
            ends = [
                [(e.event.consent_id, e.event.sequence, e.event.by) for e in await r.published()]
                for r in (memory, sql)
            ]
            assert sorted(ends[0]) == sorted(ends[1])

    asyncio.run(both())
